//! The forms in which Prometheus reads metrics. OpenMetrics is written by the `prometheus-client` crate. The older text
//! form differs from it in the headers of counters and has neither units nor an end mark, so it is made from the same
//! text.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::protobuf;
use crate::sinks::metric_families::{FamilyKind, FamilyUnit, PREFIX, PointValue, families};
use crate::sinks::sums::RunSums;

/// A form of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposition {
    /// Prometheus' own text, version 0.0.4.
    Text,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
    /// Protobuf, with native histograms.
    Protobuf,
}

impl Exposition {
    /// Chooses a form by the `accept` field of a request: the one that the client likes best, the first of several.
    pub(super) fn negotiate(accept: &str) -> Self {
        let mut best = (0.0, Self::Text);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default() {
                "application/openmetrics-text" => Self::OpenMetrics,
                "application/vnd.google.protobuf" if range.contains("MetricFamily") => Self::Protobuf,
                "text/plain" | "text/*" | "*/*" => Self::Text,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if quality > best.0 {
                best = (quality, form);
            }
        }
        best.1
    }

    /// Returns the value of the `content-type` field.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// Writes the metrics.
    pub(super) fn write(self, sums: &Arc<Mutex<RunSums>>) -> Bytes {
        match self {
            Self::Text => without_openmetrics(&openmetrics(sums)).into(),
            Self::OpenMetrics => openmetrics(sums).into(),
            Self::Protobuf => {
                let sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
                protobuf::encode(&families(&sums), &sums.run).into()
            }
        }
    }
}

fn openmetrics(sums: &Arc<Mutex<RunSums>>) -> String {
    let run = sums.lock().unwrap_or_else(PoisonError::into_inner).run.clone();
    let mut registry = Registry::with_prefix_and_labels(PREFIX, [("run".into(), run.into())].into_iter());
    registry.register_collector(Box::new(SumsCollector(Arc::clone(sums))));
    let mut written = String::new();
    // Writing to a string never fails.
    let _ = text::encode(&mut written, &registry);
    written
}

/// Returns the older form of an OpenMetrics text: counters are declared under their full name.
fn without_openmetrics(openmetrics: &str) -> String {
    let lines = openmetrics.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF");
    let (mut written, mut help) = (String::with_capacity(openmetrics.len()), None);
    for line in lines {
        let declared = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '));
        if let Some(declared) = declared {
            help = Some(declared);
            continue;
        }
        match (line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')), help.take()) {
            (Some((name, kind)), Some((_, help))) => {
                let suffix = if kind == "counter" { "_total" } else { "" };
                written.push_str(&format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"));
            }
            _ => {
                written.push_str(line);
                written.push('\n');
            }
        }
    }
    written
}

/// Shows the sums to the encoder, each time that they are read.
struct SumsCollector(Arc<Mutex<RunSums>>);

impl fmt::Debug for SumsCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SumsCollector").finish_non_exhaustive()
    }
}

impl Collector for SumsCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for family in families(&sums).into_iter().filter(|family| !family.points.is_empty()) {
            let kind = match family.kind {
                FamilyKind::Counter => MetricType::Counter,
                FamilyKind::Gauge => MetricType::Gauge,
                FamilyKind::Histogram => MetricType::Histogram,
            };
            let unit = family.unit.map(|unit| match unit {
                FamilyUnit::Seconds => Unit::Seconds,
                FamilyUnit::Bytes => Unit::Bytes,
            });
            let mut metric = encoder.encode_descriptor(family.name, family.help, unit.as_ref(), kind)?;
            for point in &family.points {
                encode_point(&mut metric.encode_family(&point.labels)?, family.kind, point.value)?;
            }
        }
        Ok(())
    }
}

fn encode_point(encoder: &mut MetricEncoder<'_>, kind: FamilyKind, value: PointValue<'_>) -> fmt::Result {
    match (kind, value) {
        (FamilyKind::Counter, PointValue::Count(count)) => encoder.encode_counter::<NoLabelSet, u64, f64>(&count, None),
        (FamilyKind::Counter, PointValue::Number(number)) => {
            encoder.encode_counter::<NoLabelSet, f64, f64>(&number, None)
        }
        (_, PointValue::Count(count)) => encoder.encode_gauge(&count),
        (_, PointValue::Number(number)) => encoder.encode_gauge(&number),
        (_, PointValue::Times(times)) => {
            encoder.encode_histogram::<NoLabelSet>(times.sum_seconds(), times.count, &times.with_bounds(), None)
        }
    }
}
