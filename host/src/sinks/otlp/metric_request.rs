//! The sums of a run as an OTLP message of metrics. Counts are cumulative, so a message that is lost costs resolution
//! and no count; durations are exponential histograms.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, number_data_point,
};

use super::attributes::{scope, source, text, unix_nanos};
use crate::sinks::metric_families::{Family, FamilyKind, FamilyUnit, Label, PREFIX, PointValue, families};
use crate::sinks::sums::{BucketedTimes, EXPONENTIAL_SCALE, RunSums};

/// The temporality of all sums.
const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// The times of all points of a message.
#[derive(Clone, Copy)]
struct PointTimes {
    start: u64,
    now: u64,
}

/// Returns the message. `resource` describes the source.
pub(super) fn export_request(sums: &RunSums, resource: &[(String, String)]) -> ExportMetricsServiceRequest {
    let times = PointTimes { start: unix_nanos(sums.started_at), now: unix_nanos(sums.updated_at) };
    let families = families(sums);
    let metrics = families.iter().filter(|family| !family.points.is_empty()).map(|family| metric(family, times));
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(source(resource, &sums.run)),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics: metrics.collect(),
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

fn metric(family: &Family<'_>, times: PointTimes) -> Metric {
    let numbers = || family.points.iter().filter_map(|point| number_point(&point.labels, point.value, times)).collect();
    let data = match family.kind {
        FamilyKind::Counter => {
            Data::Sum(Sum { data_points: numbers(), aggregation_temporality: CUMULATIVE, is_monotonic: true })
        }
        FamilyKind::Gauge => Data::Gauge(Gauge { data_points: numbers() }),
        FamilyKind::Histogram => {
            let points = family.points.iter().filter_map(|point| match point.value {
                PointValue::Times(counted) => Some(times_point(&point.labels, counted, times)),
                PointValue::Count(_) | PointValue::Number(_) => None,
            });
            let data_points = points.collect();
            Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality: CUMULATIVE })
        }
    };
    let unit = match family.unit {
        Some(FamilyUnit::Seconds) => "s",
        Some(FamilyUnit::Bytes) => "By",
        None => "",
    };
    Metric {
        name: format!("{PREFIX}.{}", family.name.replace('_', ".")),
        description: family.help.into(),
        unit: unit.into(),
        data: Some(data),
        ..Metric::default()
    }
}

fn number_point(labels: &[Label<'_>], value: PointValue<'_>, times: PointTimes) -> Option<NumberDataPoint> {
    let value = match value {
        PointValue::Count(count) => number_data_point::Value::AsInt(i64::try_from(count).unwrap_or(i64::MAX)),
        PointValue::Number(number) => number_data_point::Value::AsDouble(number),
        PointValue::Times(_) => return None,
    };
    Some(NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        value: Some(value),
        ..NumberDataPoint::default()
    })
}

fn times_point(labels: &[Label<'_>], counted: &BucketedTimes, times: PointTimes) -> ExponentialHistogramDataPoint {
    let bounds = counted.exponential.first_key_value().zip(counted.exponential.last_key_value());
    let positive = bounds.map_or_else(Buckets::default, |((first, _), (last, _))| {
        let counts = (*first..=*last).map(|bucket| counted.exponential.get(&bucket).copied().unwrap_or(0));
        Buckets { offset: *first, bucket_counts: counts.collect() }
    });
    ExponentialHistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        count: counted.count,
        sum: Some(counted.sum_seconds()),
        scale: EXPONENTIAL_SCALE,
        positive: Some(positive),
        ..ExponentialHistogramDataPoint::default()
    }
}

fn attributes(labels: &[Label<'_>]) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| text(name, value.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::sinks::sums::{RowLabels, RowSums};

    #[test]
    fn every_duration_is_in_one_bucket() {
        let times = BucketedTimes {
            count: 6,
            sum_us: 3_000_000,
            exponential: BTreeMap::from([(-9, 1), (-1, 2), (2, 3)]),
            ..BucketedTimes::default()
        };
        let labels = RowLabels { scenario: None, step: "Page".into(), action: "http".into(), is_part: false };
        let rows = vec![RowSums { labels, ok: 6, response: times, ..RowSums::default() }];
        let sums = RunSums {
            run: "5eed".into(),
            started_at: Duration::from_secs(7),
            updated_at: Duration::from_secs(9),
            rows,
            ..RunSums::default()
        };
        let request = export_request(&sums, &[("service.name".into(), "mine".into())]);
        let resource = request.resource_metrics[0].resource.as_ref().unwrap();
        let keys: Vec<_> = resource.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(keys, ["service.name", "service.version", "test.run.id"]);
        let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
        let find = |name: &str| metrics.iter().find(|metric| metric.name == name).expect("a metric");
        let duration = find("stampede.request.duration");
        let Some(Data::ExponentialHistogram(histogram)) = &duration.data else { panic!("{duration:?}") };
        let point = &histogram.data_points[0];
        let buckets = point.positive.as_ref().unwrap();
        assert_eq!((buckets.offset, buckets.bucket_counts.as_slice()), (-9, &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3][..]));
        assert_eq!((point.count, point.sum, point.scale, duration.unit.as_str()), (6, Some(3.0), 3, "s"));
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (7_000_000_000, 9_000_000_000));
        let Some(Data::Sum(requests)) = &find("stampede.requests").data else { panic!("{metrics:?}") };
        assert!(requests.is_monotonic && requests.aggregation_temporality == CUMULATIVE);
        assert_eq!(requests.data_points[0].value, Some(number_data_point::Value::AsInt(6)));
    }
}
