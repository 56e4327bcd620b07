//! Prometheus' protobuf form, the only one that has native histograms: each metric as a message after its length. The
//! messages are a part of `io.prometheus.client`, as its `metrics.proto` numbers them.

use prost::Message;

use crate::sinks::metric_families::{Family, FamilyKind, Label, Point, PointValue};
use crate::sinks::sums::{BucketedTimes, EXPONENTIAL_SCALE};

/// The greatest value that counts as zero: the default of Prometheus' own libraries.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// A metric with all its points.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ProtoFamily {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub help: String,
    /// 0 for a counter, 1 for a gauge, 4 for a histogram.
    #[prost(int32, tag = "3")]
    pub kind: i32,
    #[prost(message, repeated, tag = "4")]
    pub points: Vec<ProtoPoint>,
}

/// One value; one of the last three is set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ProtoPoint {
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<ProtoLabel>,
    #[prost(message, optional, tag = "2")]
    pub gauge: Option<ProtoNumber>,
    #[prost(message, optional, tag = "3")]
    pub counter: Option<ProtoNumber>,
    #[prost(message, optional, tag = "7")]
    pub histogram: Option<ProtoTimes>,
}

/// Name and value of a label.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ProtoLabel {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// The value of a counter or a gauge.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct ProtoNumber {
    #[prost(double, tag = "1")]
    pub value: f64,
}

/// A histogram with fixed buckets and, sparse, with exponential ones.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ProtoTimes {
    #[prost(uint64, tag = "1")]
    pub count: u64,
    #[prost(double, tag = "2")]
    pub sum: f64,
    #[prost(message, repeated, tag = "3")]
    pub buckets: Vec<ProtoBucket>,
    #[prost(sint32, tag = "5")]
    pub schema: i32,
    #[prost(double, tag = "6")]
    pub zero_threshold: f64,
    #[prost(message, repeated, tag = "12")]
    pub spans: Vec<ProtoSpan>,
    /// The count of each bucket of the spans, less that of the one before.
    #[prost(sint64, repeated, tag = "13")]
    pub deltas: Vec<i64>,
}

/// A fixed bucket.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct ProtoBucket {
    #[prost(uint64, tag = "1")]
    pub cumulative_count: u64,
    #[prost(double, tag = "2")]
    pub upper_bound: f64,
}

/// Exponential buckets that follow each other.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct ProtoSpan {
    /// The number of buckets left out before it; the index of the first bucket for the first span.
    #[prost(sint32, tag = "1")]
    pub offset: i32,
    #[prost(uint32, tag = "2")]
    pub length: u32,
}

/// Writes metrics of the run with this identifier.
pub(super) fn encode(families: &[Family<'_>], run: &str) -> Vec<u8> {
    let mut written = Vec::new();
    for family in families.iter().filter(|family| !family.points.is_empty()) {
        let message = ProtoFamily {
            name: family.full_name(),
            help: family.help.into(),
            kind: match family.kind {
                FamilyKind::Counter => 0,
                FamilyKind::Gauge => 1,
                FamilyKind::Histogram => 4,
            },
            points: family.points.iter().map(|point| proto_point(family.kind, point, run)).collect(),
        };
        written.extend(message.encode_length_delimited_to_vec());
    }
    written
}

fn proto_point(kind: FamilyKind, point: &Point<'_>, run: &str) -> ProtoPoint {
    let label = |name: &str, value: &str| ProtoLabel { name: name.into(), value: value.into() };
    let own = point.labels.iter().map(|(name, value): &Label<'_>| label(name, value));
    let mut written =
        ProtoPoint { labels: [label("run", run)].into_iter().chain(own).collect(), ..ProtoPoint::default() };
    let number = match point.value {
        PointValue::Times(times) => {
            written.histogram = Some(proto_times(times));
            return written;
        }
        PointValue::Count(count) => Some(ProtoNumber { value: count as f64 }),
        PointValue::Number(value) => Some(ProtoNumber { value }),
    };
    if kind == FamilyKind::Counter {
        written.counter = number;
    } else {
        written.gauge = number;
    }
    written
}

fn proto_times(times: &BucketedTimes) -> ProtoTimes {
    let mut cumulative_count = 0;
    let buckets = times.with_bounds().into_iter().map(|(upper_bound, count)| {
        cumulative_count += count;
        ProtoBucket { cumulative_count, upper_bound }
    });
    let buckets = buckets.collect();
    let (mut spans, mut deltas, mut previous): (Vec<ProtoSpan>, _, _) = (Vec::new(), Vec::new(), 0);
    let mut next = 0;
    for (bucket, count) in &times.exponential {
        // Prometheus counts buckets by their upper bounds, which is one more.
        let index = bucket + 1;
        match spans.last_mut() {
            Some(span) if index == next => span.length += 1,
            _ => spans.push(ProtoSpan { offset: index - next, length: 1 }),
        }
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        deltas.push(count - previous);
        (previous, next) = (count, index + 1);
    }
    let (count, sum) = (times.count, times.sum_seconds());
    ProtoTimes { count, sum, buckets, schema: EXPONENTIAL_SCALE, zero_threshold: ZERO_THRESHOLD, spans, deltas }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn spans_leave_empty_buckets_out() {
        let times = BucketedTimes {
            count: 9,
            sum_us: 1_500_000,
            fixed: [1, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            exponential: BTreeMap::from([(-40, 1), (-20, 3), (-19, 1), (2, 4)]),
        };
        let written = proto_times(&times);
        let spans: Vec<_> = written.spans.iter().map(|span| (span.offset, span.length)).collect();
        assert_eq!((spans, written.deltas), (vec![(-39, 1), (19, 2), (20, 1)], vec![1, 2, -2, 3]));
        assert_eq!((written.count, written.sum, written.schema), (9, 1.5, 3));
        assert_eq!((written.buckets[3].cumulative_count, written.buckets[14].cumulative_count), (9, 9));
        assert_eq!((written.buckets[3].upper_bound, written.buckets[14].upper_bound), (0.05, f64::INFINITY));
    }
}
