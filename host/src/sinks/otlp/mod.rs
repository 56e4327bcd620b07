//! `--otlp`: the numbers of the run as metrics of OpenTelemetry, and its traces, over http/protobuf or gRPC. A
//! collector that is down or slow costs nothing but batches, which are counted and named at the end.

mod attributes;
mod config;
mod metric_request;
mod signal_sender;
mod span_messages;
mod trace_request;
mod url_template;

use std::env;

use prost::Message;

use super::run_info::RunInfo;
use super::sink::Sink;
use super::sums::RunSums;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::trace::MAX_SPANS_PER_SECOND;
use crate::plan::Plan;
use crate::report::Report;
use crate::run::observer::SecondSnapshot;
use crate::stderr;
use config::{OtlpConfig, OtlpConfigError, OtlpSignal, SignalConfig};
use signal_sender::SignalSender;
use trace_request::StepNames;

/// The sink.
struct OtlpSink {
    metrics: Option<MetricsExport>,
    traces: Option<TracesExport>,
    resource: Vec<(String, String)>,
}

/// The export of the sums.
struct MetricsExport {
    sender: SignalSender,
    sums: RunSums,
    interval_seconds: u32,
    /// Seconds since the last export.
    waited: u32,
}

/// The export of the traces, those of each second together.
struct TracesExport {
    sender: SignalSender,
    names: StepNames,
    run: String,
    exported: u64,
    left_out: u64,
}

/// Opens the sink if `--otlp` was given.
///
/// # Errors
/// The endpoint, or a variable of OpenTelemetry, cannot be used.
pub(super) fn open(args: &RunArgs, plan: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let Some(endpoint) = &args.opentelemetry.otlp else { return Ok(Vec::new()) };
    let config = OtlpConfig::read(endpoint, |name| env::var(name).ok()).map_err(|error| {
        let OtlpConfigError { name, why } = error;
        Diagnostic::new("usage::otlp", format!("cannot use `{name}`: {why}"))
            .help("correct the variable or unset it; `--otlp http://HOST:4318` names a collector")
    })?;
    let start = |signal, config: Option<SignalConfig>| {
        let sender = config.map(|config| SignalSender::start(signal, config)).transpose();
        sender.map_err(|why| Diagnostic::new("internal::sink", why))
    };
    let interval_seconds = config.interval_seconds;
    let metrics = start(OtlpSignal::Metrics, config.metrics)?;
    let metrics = metrics.map(|sender| MetricsExport { sender, sums: RunSums::default(), interval_seconds, waited: 0 });
    let traces = start(OtlpSignal::Traces, config.traces)?.map(|sender| {
        let names = StepNames { rows: plan.rows.clone(), templates: url_template::of_plan(plan) };
        TracesExport { sender, names, run: String::new(), exported: 0, left_out: 0 }
    });
    Ok(vec![Box::new(OtlpSink { metrics, traces, resource: config.resource })])
}

impl MetricsExport {
    fn second(&mut self, second: &SecondSnapshot, resource: &[(String, String)]) {
        self.sums.add(second);
        self.waited += 1;
        let message = (self.waited >= self.interval_seconds).then(|| self.message(resource));
        self.sender.second(message);
    }

    fn message(&mut self, resource: &[(String, String)]) -> Vec<u8> {
        self.waited = 0;
        metric_request::export_request(&self.sums, resource).encode_to_vec()
    }
}

impl TracesExport {
    fn second(&mut self, second: &SecondSnapshot, resource: &[(String, String)]) {
        let counts = &second.merged.counts;
        self.exported += counts.traces.len() as u64;
        self.left_out += counts.traces_left_out;
        let message = (!counts.traces.is_empty())
            .then(|| trace_request::export_request(&counts.traces, &self.names, resource, &self.run).encode_to_vec());
        self.sender.second(message);
    }
}

/// Returns the number of traces that are missing, in words; `None` if all were exported.
fn omission(exported: u64, left_out: u64) -> Option<String> {
    let all = exported + left_out;
    (left_out > 0)
        .then(|| format!("it left out {left_out} of {all} traces: a second has room for {MAX_SPANS_PER_SECOND} spans"))
}

impl Sink for OtlpSink {
    fn begin(&mut self, run: &RunInfo) {
        if let Some(metrics) = &mut self.metrics {
            metrics.sums = RunSums::new(run);
        }
        if let Some(traces) = &mut self.traces {
            traces.run = run.id_text();
        }
    }

    fn second(&mut self, second: &SecondSnapshot) {
        if let Some(metrics) = &mut self.metrics {
            metrics.second(second, &self.resource);
        }
        if let Some(traces) = &mut self.traces {
            traces.second(second, &self.resource);
        }
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        let mut missing = Vec::new();
        let metrics = self.metrics.take().map(|mut metrics| {
            metrics.sums.finish(report);
            let last = metrics.message(&self.resource);
            metrics.sender.second(Some(last));
            metrics.sender.end()
        });
        let traces = self.traces.take().map(|traces| {
            missing.extend(omission(traces.exported, traces.left_out));
            traces.sender.end()
        });
        // Both have begun to end before the first is waited for.
        missing.extend(metrics.into_iter().chain(traces).filter_map(|ending| ending.loss()));
        for what in missing {
            stderr::print_line(format_args!("warning: the output `otlp` is not complete: {what}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::omission;

    #[test]
    fn traces_without_room_are_named() {
        assert_eq!(omission(5, 0), None);
        let text = "it left out 2 of 7 traces: a second has room for 2000 spans";
        assert_eq!(omission(5, 2).as_deref(), Some(text));
    }
}
