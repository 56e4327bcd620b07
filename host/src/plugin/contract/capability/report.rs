//! The reason why the current task failed, and metrics of the plugin.

use super::convert;
use crate::metrics::custom_metric::{MetricInfo, MetricKind, MetricUnit};
use crate::plugin::contract::bindings::report::{Host, MetricKind as GuestKind, MetricUnit as GuestUnit};
use crate::plugin::contract::bindings::types::FailureKind;
use crate::plugin::contract::state::StoreData;
use crate::plugin::instance::limits;

impl Host for StoreData {
    fn fail(&mut self, kind: FailureKind, detail: String) -> wasmtime::Result<()> {
        self.guest().session()?.note_failure(convert::kind_from_guest(kind), || detail);
        Ok(())
    }

    fn define(&mut self, name: String, kind: GuestKind, unit: GuestUnit) -> wasmtime::Result<Result<u32, String>> {
        let guest = self.guest();
        guest.configuring()?;
        if guest.metrics.len() >= limits::DEFINITIONS {
            return Ok(Err(format!("an instance may define a metric {} times", limits::DEFINITIONS)));
        }
        let (kind, unit) = (kind_from_guest(kind), unit_from_guest(unit));
        let worker_plugin = &guest.worker_plugin;
        let wanted = MetricInfo { plugin: worker_plugin.policy.name.to_string(), name, kind, unit, row: None };
        let defined = worker_plugin.metrics.borrow_mut().define(wanted);
        Ok(defined.map(|metric| {
            guest.metrics.push((metric, kind));
            guest.metrics.len() as u32 - 1
        }))
    }

    fn add(&mut self, metric: u32, value: f64) -> wasmtime::Result<()> {
        let guest = self.guest();
        let session = guest.session()?;
        let (id, kind) =
            *guest.metrics.get(metric as usize).ok_or_else(|| wasmtime::format_err!("there is no metric {metric}"))?;
        wasmtime::ensure!(kind.accepts(value), "a {} does not take the value {value}", kind.name());
        session.shared.recorder.borrow_mut().add_to_step_metric(id, session.task.row(), value);
        Ok(())
    }
}

fn kind_from_guest(kind: GuestKind) -> MetricKind {
    match kind {
        GuestKind::Counter => MetricKind::Counter,
        GuestKind::Gauge => MetricKind::Gauge,
        GuestKind::Rate => MetricKind::Rate,
        GuestKind::Trend => MetricKind::Trend,
    }
}

fn unit_from_guest(unit: GuestUnit) -> MetricUnit {
    match unit {
        GuestUnit::Number => MetricUnit::Number,
        GuestUnit::Nanoseconds => MetricUnit::Nanoseconds,
        GuestUnit::Bytes => MetricUnit::Bytes,
    }
}
