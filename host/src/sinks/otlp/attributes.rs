//! The parts that messages of both signals have: attributes, times, and the description of the source.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

/// Returns an attribute that is a text.
pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

/// Returns an attribute that is a whole number.
pub(super) fn number(key: &str, value: impl TryInto<i64>) -> KeyValue {
    pair(key, Value::IntValue(value.try_into().unwrap_or(i64::MAX)))
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Returns a time since the Unix epoch in nanoseconds.
pub(super) fn unix_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the source of a run's numbers and spans. `given` describes it further.
pub(super) fn source(given: &[(String, String)], run: &str) -> Resource {
    let own = [("service.version", env!("CARGO_PKG_VERSION")), ("test.run.id", run)];
    let given = given.iter().map(|(key, value)| text(key, value));
    let attributes = given.chain(own.map(|(key, value)| text(key, value))).collect();
    Resource { attributes, ..Resource::default() }
}

/// Returns the name and the version of this program.
pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "stampede-shooter".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..InstrumentationScope::default()
    }
}
