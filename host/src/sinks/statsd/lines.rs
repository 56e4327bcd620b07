//! The lines of StatsD: `name:value|type`, with DogStatsD's tags or with the names of scenario and step in the name.
//!
//! Counts are counters, so a server adds them up. A server cannot compute percentiles from counts, so those of each
//! second are gauges. Counts of zero are not sent.

use std::fmt::Display;

use crate::cli::StatsdFormat;
use crate::metrics::sample::FailureKind;
use crate::sinks::sums::{RowLabels, SecondSums};

/// Writes one second, line by line.
pub(super) fn lines(format: StatsdFormat, second: &SecondSums, write: impl FnMut(&str)) {
    let mut lines = LineWriter { format, write };
    for (row, times) in second.counts.rows.iter().zip(&second.response) {
        let labels = &row.labels;
        for (outcome, count) in [("ok", row.ok), ("error", row.failed()), ("aborted", row.aborted())] {
            lines.count(labels, &counted("requests", "outcome", outcome, count));
        }
        for kind in FailureKind::ALL {
            lines.count(labels, &counted("errors", "category", kind.name(), row.err[kind as usize]));
        }
        for (code, count) in &row.codes {
            lines.count(labels, &counted("responses", "code", &code.to_string(), *count));
        }
        lines.count(labels, &counted("responses", "code", "other", row.other_codes));
        for (direction, bytes) in [("sent", row.bytes.out), ("received", row.bytes.received)] {
            lines.count(labels, &counted("bytes", "direction", direction, bytes));
        }
        for (name, micros) in times.iter().flat_map(|times| times.named()) {
            lines.gauge(Some(labels), &format!("response_time_ms.{name}"), micros as f64 / 1e3);
        }
    }
    for load in &second.counts.scenarios {
        let labels = RowLabels { scenario: load.scenario.clone(), ..RowLabels::default() };
        for (result, count) in [("completed", load.completed), ("cut_short", load.cut_short), ("dropped", load.dropped)]
        {
            lines.count(&labels, &counted("iterations", "result", result, count));
        }
    }
    for check in &second.counts.checks {
        let name = format!("checks.{}", segment(&check.name));
        for (result, count) in [("passed", check.passed), ("failed", check.failed)] {
            lines.count(&check.labels, &counted(&name, "result", result, count));
        }
    }
    lines.gauge(None, "users", second.counts.users);
}

/// A count, and the label that tells it from others of the same name.
struct CountedLine<'a> {
    name: &'a str,
    label: &'a str,
    value: &'a str,
    count: u64,
}

const fn counted<'a>(name: &'a str, label: &'a str, value: &'a str, count: u64) -> CountedLine<'a> {
    CountedLine { name, label, value, count }
}

struct LineWriter<W> {
    format: StatsdFormat,
    write: W,
}

impl<W: FnMut(&str)> LineWriter<W> {
    fn count(&mut self, labels: &RowLabels, counted: &CountedLine<'_>) {
        let CountedLine { name, label, value, count } = *counted;
        if count == 0 {
            return;
        }
        let line = match self.format {
            StatsdFormat::Plain => format!("stampede.{}{name}.{}:{count}|c", path(labels), segment(value)),
            StatsdFormat::Dogstatsd => {
                format!("stampede.{name}:{count}|c|#{label}:{}{}", tag(value), tags(labels, ","))
            }
        };
        (self.write)(&line);
    }

    fn gauge(&mut self, labels: Option<&RowLabels>, name: &str, value: impl Display) {
        let line = match (self.format, labels) {
            (StatsdFormat::Dogstatsd, Some(labels)) => format!("stampede.{name}:{value}|g{}", tags(labels, "|#")),
            (StatsdFormat::Plain, Some(labels)) => format!("stampede.{}{name}:{value}|g", path(labels)),
            (_, None) => format!("stampede.{name}:{value}|g"),
        };
        (self.write)(&line);
    }
}

/// Returns scenario and step as parts of a name, each with its point.
fn path(labels: &RowLabels) -> String {
    let parts = labels.scenario.iter().chain([&labels.step]).filter(|part| !part.is_empty());
    parts.map(|part| segment(part) + ".").collect()
}

/// Returns the names of a row as tags, with `before` before the first one and a comma before the others.
fn tags(labels: &RowLabels, before: &str) -> String {
    let named =
        [("scenario", labels.scenario.as_deref()), ("step", Some(&labels.step)), ("action", Some(&labels.action))];
    let mut written = String::new();
    for (name, value) in named {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            written.push_str(if written.is_empty() { before } else { "," });
            written.push_str(&format!("{name}:{}", tag(value)));
        }
    }
    written
}

/// Returns a part of a name: letters, digits, `_` and `-`; everything else has become `_`.
fn segment(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Returns the value of a tag, without the signs that end one.
fn tag(value: &str) -> String {
    value.chars().map(|c| if matches!(c, ',' | '|' | '#' | '\n') { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::sums::{LoadSums, RowSums, RunSums};

    fn second() -> SecondSums {
        let labels = RowLabels {
            scenario: Some("browse".into()),
            step: "a|b,c: d".into(),
            action: "http".into(),
            is_part: false,
        };
        let mut row = RowSums { labels, ok: 7, ..RowSums::default() };
        row.err[FailureKind::Status as usize] = 2;
        row.codes.insert(503, 2);
        row.bytes.out = 90;
        let load = LoadSums { scenario: Some("browse".into()), dropped: 3, ..LoadSums::default() };
        SecondSums {
            counts: RunSums { rows: vec![row], scenarios: vec![load], users: 4, ..RunSums::default() },
            response: vec![None],
        }
    }

    fn written(format: StatsdFormat) -> Vec<String> {
        let mut all = Vec::new();
        lines(format, &second(), |line| all.push(line.to_owned()));
        all
    }

    #[test]
    fn names_are_tags_of_dogstatsd() {
        let expected = [
            "stampede.requests:7|c|#outcome:ok,scenario:browse,step:a_b_c: d,action:http",
            "stampede.requests:2|c|#outcome:error,scenario:browse,step:a_b_c: d,action:http",
            "stampede.errors:2|c|#category:status,scenario:browse,step:a_b_c: d,action:http",
            "stampede.responses:2|c|#code:503,scenario:browse,step:a_b_c: d,action:http",
            "stampede.bytes:90|c|#direction:sent,scenario:browse,step:a_b_c: d,action:http",
            "stampede.iterations:3|c|#result:dropped,scenario:browse",
            "stampede.users:4|g",
        ];
        assert_eq!(written(StatsdFormat::Dogstatsd), expected);
    }

    #[test]
    fn names_are_parts_of_plain_names() {
        let expected = [
            "stampede.browse.a_b_c__d.requests.ok:7|c",
            "stampede.browse.a_b_c__d.requests.error:2|c",
            "stampede.browse.a_b_c__d.errors.status:2|c",
            "stampede.browse.a_b_c__d.responses.503:2|c",
            "stampede.browse.a_b_c__d.bytes.sent:90|c",
            "stampede.browse.iterations.dropped:3|c",
            "stampede.users:4|g",
        ];
        assert_eq!(written(StatsdFormat::Plain), expected);
    }
}
