//! Samples as text: a line of JSON each, or of CSV. Times and durations are written exactly, in microseconds with three
//! decimals.

use std::fmt::Write as _;
use std::time::Duration;

use stampede_time::Nanos;

use crate::metrics::sample::Sample;
use crate::metrics::sample_tap::TakenSample;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFormat {
    /// A JSON object on each line.
    Ndjson,
    /// RFC 4180, with a header.
    Csv,
}

/// The fields, in their order.
const FIELDS: [&str; 18] = [
    "intended_at_us",
    "started_at_us",
    "scenario",
    "step",
    "user",
    "status",
    "outcome",
    "failure",
    "response_time_us",
    "service_time_us",
    "dns_us",
    "connect_us",
    "tls_us",
    "first_byte_us",
    "receive_us",
    "bytes_out",
    "bytes_in",
    "body_bytes_in",
];

/// A value of a field.
enum FieldValue<'a> {
    /// Nanoseconds, written as microseconds.
    Nanos(u128),
    Number(u64),
    /// A word that needs no escapes.
    Word(&'static str),
    /// A text with its quotes and escapes.
    Quoted(&'a str),
    Nothing,
}

/// The names of a row, as they stand in a line.
#[derive(Clone, Debug)]
pub(super) struct RowNames {
    scenario: Option<String>,
    step: String,
}

impl RowNames {
    /// Prepares the names of a row.
    pub(super) fn new(scenario: Option<&str>, step: &str, format: LineFormat) -> Self {
        Self { scenario: scenario.map(|name| quoted(name, format)), step: quoted(step, format) }
    }
}

/// Returns the first lines of a file.
pub(super) fn header(format: LineFormat) -> String {
    match format {
        LineFormat::Ndjson => String::new(),
        LineFormat::Csv => format!("{}\r\n", FIELDS.join(",")),
    }
}

/// Appends the line of a sample whose times count from `start`, since the Unix epoch.
pub(super) fn push_line(text: &mut String, format: LineFormat, taken: &TakenSample, start: Duration, row: &RowNames) {
    let values = values(taken, start, row);
    match format {
        LineFormat::Ndjson => {
            for (at, (field, value)) in FIELDS.iter().zip(&values).enumerate() {
                text.push_str(if at == 0 { "{\"" } else { ",\"" });
                text.push_str(field);
                text.push_str("\":");
                push_value(text, value, "null");
            }
            text.push_str("}\n");
        }
        LineFormat::Csv => {
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                push_value(text, value, "");
            }
            text.push_str("\r\n");
        }
    }
}

fn values<'a>(taken: &TakenSample, start: Duration, row: &'a RowNames) -> [FieldValue<'a>; FIELDS.len()] {
    let TakenSample { user, sample } = taken;
    let Sample { status, bytes_out, bytes_in, body_bytes_in, phases, failure, .. } = *sample;
    let at = |nanos: Nanos| FieldValue::Nanos(start.as_nanos() + u128::from(nanos));
    let took = |nanos: Nanos| FieldValue::Nanos(nanos.into());
    let phase = |nanos: Option<Nanos>| nanos.map_or(FieldValue::Nothing, took);
    [
        at(sample.intended),
        at(sample.start),
        row.scenario.as_deref().map_or(FieldValue::Nothing, FieldValue::Quoted),
        FieldValue::Quoted(&row.step),
        FieldValue::Number((*user).into()),
        if status == 0 { FieldValue::Nothing } else { FieldValue::Number(status.into()) },
        FieldValue::Word(if failure.is_some() { "failed" } else { "ok" }),
        failure.map_or(FieldValue::Nothing, |kind| FieldValue::Word(kind.name())),
        took(sample.response_time()),
        took(sample.service_time()),
        phase(phases.dns),
        phase(phases.connect),
        phase(phases.tls),
        phase(phases.first_byte),
        phase(phases.receive),
        FieldValue::Number(bytes_out),
        FieldValue::Number(bytes_in),
        FieldValue::Number(body_bytes_in),
    ]
}

fn push_value(text: &mut String, value: &FieldValue<'_>, nothing: &str) {
    // Writing to a string cannot fail.
    let _ = match value {
        FieldValue::Nanos(nanos) => write!(text, "{}.{:03}", nanos / 1_000, nanos % 1_000),
        FieldValue::Number(number) => write!(text, "{number}"),
        FieldValue::Word(word) => write!(text, "\"{word}\""),
        FieldValue::Quoted(quoted) => text.write_str(quoted),
        FieldValue::Nothing => text.write_str(nothing),
    };
}

/// Returns a text with quotes and escapes.
fn quoted(text: &str, format: LineFormat) -> String {
    match format {
        LineFormat::Ndjson => serde_json::Value::from(text).to_string(),
        LineFormat::Csv => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::{FailureKind, PhaseDurations};

    const START: Duration = Duration::new(1_790_000_000, 500_000_000);

    fn taken(failure: Option<FailureKind>) -> TakenSample {
        let phases = PhaseDurations { first_byte: Some(1_500_250), ..PhaseDurations::default() };
        let sample = Sample {
            row: 0,
            intended: 1_000_001,
            start: 3_000_000,
            end: 9_000_500,
            status: if failure.is_some() { 0 } else { 200 },
            bytes_out: 100,
            bytes_in: 250,
            body_bytes_in: 50,
            phases,
            failure,
            span: None,
        };
        TakenSample { user: 7, sample }
    }

    fn line(format: LineFormat, taken: &TakenSample, row: &RowNames) -> String {
        let mut text = String::new();
        push_line(&mut text, format, taken, START, row);
        text
    }

    #[test]
    fn a_line_of_json_has_every_field() {
        let row = RowNames::new(None, "Log \"in\"\n", LineFormat::Ndjson);
        assert_eq!(
            line(LineFormat::Ndjson, &taken(None), &row),
            "{\"intended_at_us\":1790000000501000.001,\"started_at_us\":1790000000503000.000,\"scenario\":null,\
             \"step\":\"Log \\\"in\\\"\\n\",\"user\":7,\"status\":200,\"outcome\":\"ok\",\"failure\":null,\
             \"response_time_us\":8000.499,\"service_time_us\":6000.500,\"dns_us\":null,\"connect_us\":null,\
             \"tls_us\":null,\"first_byte_us\":1500.250,\"receive_us\":null,\"bytes_out\":100,\"bytes_in\":250,\
             \"body_bytes_in\":50}\n"
        );
        let text = line(LineFormat::Ndjson, &taken(Some(FailureKind::Timeout)), &row);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&value["outcome"], &value["failure"]), (&"failed".into(), &"timeout".into()));
        assert_eq!((&value["status"], &value["step"]), (&serde_json::Value::Null, &"Log \"in\"\n".into()));
    }

    #[test]
    fn a_line_of_csv_has_the_columns_of_the_header() {
        let row = RowNames::new(Some("a, b"), "Log \"in\"", LineFormat::Csv);
        let text = header(LineFormat::Csv) + &line(LineFormat::Csv, &taken(Some(FailureKind::Network)), &row);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        assert!(header.iter().eq(FIELDS));
        let record = reader.records().next().expect("a line").expect("valid CSV");
        let cell = |name: &str| &record[FIELDS.iter().position(|field| *field == name).expect(name)];
        assert_eq!((cell("scenario"), cell("step"), cell("user")), ("a, b", "Log \"in\"", "7"));
        assert_eq!((cell("status"), cell("outcome"), cell("failure")), ("", "failed", "network"));
        assert_eq!((cell("response_time_us"), cell("dns_us")), ("8000.499", ""));
    }
}
