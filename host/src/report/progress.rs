//! Progress during the run, on standard error: a bar on a terminal, a plain line per second elsewhere, so that a log
//! file stays readable. The caller decides when to update it.

use std::io::Write;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stampede_time::{Nanos, SECOND};

use super::format::{grouped_decimal, percent};
use crate::metrics::aggregate::Snapshot;

/// The progress display. It is cleared from the screen when finished or dropped.
#[derive(Debug)]
pub(crate) struct ProgressDisplay {
    mode: ProgressMode,
    planned_length: Option<Nanos>,
}

#[derive(Debug)]
enum ProgressMode {
    Lines,
    Bar(ProgressBar),
}

impl ProgressDisplay {
    /// Creates the display for a run of a planned length, or, if `None`, for a run that ends on its own. `is_terminal`
    /// is true if standard error is a terminal.
    pub(crate) fn new(is_terminal: bool, planned_length: Option<Nanos>) -> Self {
        let mode = if is_terminal { ProgressMode::Bar(bar(planned_length)) } else { ProgressMode::Lines };
        Self { mode, planned_length }
    }

    /// Shows the state of the run, and the change of its load unless `load` is empty.
    pub(crate) fn update(&self, snapshot: &Snapshot, load: &str) {
        match &self.mode {
            ProgressMode::Lines => {
                // If standard error is closed, there is nowhere left to report that.
                let _ = writeln!(std::io::stderr(), "{}", line(snapshot, self.planned_length, load));
            }
            ProgressMode::Bar(bar) => {
                bar.set_position(snapshot.elapsed);
                bar.set_message(line(snapshot, self.planned_length, load));
            }
        }
    }

    /// Clears the bar, so that the table starts on an empty line.
    pub(crate) fn finish(self) {
        if let ProgressMode::Bar(bar) = &self.mode {
            bar.finish_and_clear();
        }
    }
}

fn bar(planned: Option<Nanos>) -> ProgressBar {
    let template = if planned.is_some() { "[{bar:24}] {wide_msg}" } else { "{spinner} {wide_msg}" };
    let style = ProgressStyle::with_template(template).expect("a valid template").progress_chars("=> ");
    ProgressBar::with_draw_target(planned, ProgressDrawTarget::stderr()).with_style(style)
}

/// Formats the line: `12 s elapsed, 108 s left | 500 users | 498.2 rps | 0.1 % errors | load × 1.5`. The share of
/// errors covers the whole run so far.
fn line(snapshot: &Snapshot, planned: Option<Nanos>, load: &str) -> String {
    let whole_seconds = |nanos: Nanos| (nanos + SECOND / 2) / SECOND;
    let elapsed = whole_seconds(snapshot.elapsed);
    let left =
        planned.map_or(String::new(), |planned| format!(", {} s left", whole_seconds(planned).saturating_sub(elapsed)));
    let users = snapshot.users_active;
    let noun = if users == 1 { "user" } else { "users" };
    let rps = grouped_decimal(snapshot.rps);
    let errors = percent(snapshot.errors, snapshot.requests);
    let separator = if load.is_empty() { "" } else { " | " };
    format!("{elapsed} s elapsed{left} | {users} {noun} | {rps} rps | {errors} errors{separator}{load}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line() {
        let running = Snapshot { elapsed: 12 * SECOND, users_active: 500, rps: 498.24, requests: 6_000, errors: 6 };
        let cases = [
            ("planned", running, Some(120 * SECOND), "12 s elapsed, 108 s left | 500 users | 498.2 rps | 0.1 % errors"),
            ("open-ended", running, None, "12 s elapsed | 500 users | 498.2 rps | 0.1 % errors"),
            ("nothing yet", Snapshot::default(), Some(SECOND), "0 s elapsed, 1 s left | 0 users | 0 rps | 0 % errors"),
            (
                "past the plan, waiting for the last ones",
                Snapshot { elapsed: 11_400_000_000, users_active: 1, ..Snapshot::default() },
                Some(10 * SECOND),
                "11 s elapsed, 0 s left | 1 user | 0 rps | 0 % errors",
            ),
        ];
        for (case, snapshot, planned, text) in cases {
            assert_eq!(line(&snapshot, planned, ""), text, "{case}");
        }
        assert!(line(&running, None, "load × 1.5").ends_with("0.1 % errors | load × 1.5"));
    }

    #[test]
    fn bars_of_both_kinds_can_be_made_and_finished() {
        for planned in [None, Some(SECOND)] {
            let progress = ProgressDisplay::new(true, planned);
            progress.update(&Snapshot::default(), "");
            progress.finish();
        }
    }
}
