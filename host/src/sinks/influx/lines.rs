//! InfluxDB's line protocol: `measurement,tag=value field=1i,field=2.5 timestamp`.
//!
//! Counts are those of one second, so that a sum over time is the sum of the run. Rows without counts have no line.
//! After the last second come the counts that the report has more, a millisecond later, since a point with the same
//! tags and time would replace the one before.

use std::time::Duration;

use crate::metrics::sample::FailureKind;
use crate::sinks::sums::{RowLabels, RunSums, SecondSums};

/// The time by which the last counts come later than those of the last second.
const AFTER_LAST: Duration = Duration::from_millis(1);

/// Writes one second, line by line.
pub(super) fn lines(second: &SecondSums, mut write: impl FnMut(&str)) {
    let counts = &second.counts;
    let time = if counts.is_final { counts.updated_at + AFTER_LAST } else { counts.updated_at };
    for (row, times) in counts.rows.iter().zip(&second.response) {
        let base = |measurement| Line::new(measurement, counts).labels(&row.labels);
        let mut requests = base("requests").counts(&[
            ("ok", row.ok),
            ("error", row.failed()),
            ("aborted", row.aborted()),
            ("bytes_sent", row.bytes.out),
            ("bytes_received", row.bytes.received),
            ("tasks_passed", row.tasks.passed),
            ("tasks_failed", row.tasks.failed),
            ("tasks_cancelled", row.tasks.cancelled),
            ("tasks_dropped", row.tasks.dropped),
        ]);
        if requests.is_counted {
            for (name, micros) in times.iter().flat_map(|times| times.named()) {
                requests = requests.field(&format!("response_{name}_us"), &format!("{micros}i"));
            }
        }
        requests.write_at(time, &mut write);
        for kind in FailureKind::ALL {
            let line = base("errors").tag("category", kind.name());
            line.counts(&[("count", row.err[kind as usize])]).write_at(time, &mut write);
        }
        let codes = row.codes.iter().map(|(code, count)| (code.to_string(), *count));
        for (code, count) in codes.chain([("other".to_owned(), row.other_codes)]) {
            base("responses").tag("code", &code).counts(&[("count", count)]).write_at(time, &mut write);
        }
    }
    for load in &counts.scenarios {
        let line = Line::new("iterations", counts).tag("scenario", load.scenario.as_deref().unwrap_or_default());
        let ends = [("completed", load.completed), ("cut_short", load.cut_short), ("dropped", load.dropped)];
        line.counts(&ends).write_at(time, &mut write);
    }
    for check in &counts.checks {
        let line = Line::new("checks", counts).labels(&check.labels).tag("check", &check.name);
        line.counts(&[("passed", check.passed), ("failed", check.failed)]).write_at(time, &mut write);
    }
    for (number, worker) in counts.workers.iter().enumerate() {
        let line = Line::new("workers", counts).tag("worker", &number.to_string());
        let health =
            [("cpu_us", worker.cpu_us), ("cpu_wait_us", worker.cpu_wait_us), ("loop_lag_us", worker.loop_lag_us)];
        line.counts(&health).write_at(time, &mut write);
    }
    for threshold in counts.thresholds.iter().filter(|threshold| threshold.passed.is_some()) {
        let line = Line::new("thresholds", counts).tag("metric", &threshold.metric);
        let line = line.tag("condition", &threshold.expression);
        line.field("passed", if threshold.passed == Some(true) { "true" } else { "false" }).write_at(time, &mut write);
    }
    Line::new("users", counts).field("active", &format!("{}i", counts.users)).write_at(time, &mut write);
}

/// A line under construction.
struct Line {
    text: String,
    fields: String,
    /// `true` if a field is not zero.
    is_counted: bool,
}

impl Line {
    fn new(measurement: &str, counts: &RunSums) -> Self {
        let text = format!("stampede_{measurement},run={}", counts.run);
        Self { text, fields: String::new(), is_counted: false }
    }

    fn labels(self, labels: &RowLabels) -> Self {
        let scenario = labels.scenario.as_deref().unwrap_or_default();
        self.tag("scenario", scenario).tag("step", &labels.step).tag("action", &labels.action)
    }

    /// Adds a tag; one without a value is none.
    fn tag(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.text.push_str(&format!(",{name}={}", escaped(value)));
        }
        self
    }

    fn counts(mut self, counts: &[(&str, u64)]) -> Self {
        if counts.iter().any(|(_, count)| *count > 0) {
            for (name, count) in counts {
                self = self.field(name, &format!("{count}i"));
            }
        }
        self
    }

    fn field(mut self, name: &str, value: &str) -> Self {
        if self.is_counted {
            self.fields.push(',');
        }
        self.fields.push_str(&format!("{name}={value}"));
        self.is_counted = true;
        self
    }

    fn write_at(self, time: Duration, write: &mut impl FnMut(&str)) {
        if self.is_counted {
            write(&format!("{} {} {}", self.text, self.fields, time.as_nanos()));
        }
    }
}

/// Returns the value of a tag. The protocol cannot write a backslash before the signs that it escapes with one, so a
/// backslash becomes a slash.
fn escaped(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            ',' | '=' | ' ' => written.extend(['\\', c]),
            '\\' => written.push('/'),
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::sums::{LoadSums, RowSums, ThresholdOutcome};

    #[test]
    fn a_second_has_a_line_for_each_row_with_counts() {
        let labels = RowLabels { scenario: None, step: "a b,c=\\".into(), action: "http".into(), is_part: false };
        let mut row = RowSums { labels, ok: 7, ..RowSums::default() };
        row.err[FailureKind::Timeout as usize] = 1;
        row.codes.insert(200, 7);
        let silent =
            RowSums { labels: RowLabels { step: "silent".into(), ..RowLabels::default() }, ..RowSums::default() };
        let load = LoadSums { completed: 2, ..LoadSums::default() };
        let threshold = ThresholdOutcome { metric: "checks".into(), expression: "rate>1%".into(), passed: Some(false) };
        let counts = RunSums {
            run: "5eed".into(),
            updated_at: Duration::from_millis(1_790_000_000_500),
            rows: vec![row, silent],
            scenarios: vec![load],
            thresholds: vec![threshold],
            users: 3,
            is_final: true,
            ..RunSums::default()
        };
        let mut written = Vec::new();
        lines(&SecondSums { counts, response: vec![None, None] }, |line| written.push(line.to_owned()));
        let row = "run=5eed,step=a\\ b\\,c\\=/,action=http";
        let at = "1790000000501000000";
        let zeros =
            "bytes_sent=0i,bytes_received=0i,tasks_passed=0i,tasks_failed=0i,tasks_cancelled=0i,tasks_dropped=0i";
        let expected = [
            format!("stampede_requests,{row} ok=7i,error=1i,aborted=0i,{zeros} {at}"),
            format!("stampede_errors,{row},category=timeout count=1i {at}"),
            format!("stampede_responses,{row},code=200 count=7i {at}"),
            format!("stampede_iterations,run=5eed completed=2i,cut_short=0i,dropped=0i {at}"),
            format!("stampede_thresholds,run=5eed,metric=checks,condition=rate>1% passed=false {at}"),
            format!("stampede_users,run=5eed active=3i {at}"),
        ];
        assert_eq!(written, expected);
    }
}
