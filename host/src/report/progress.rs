//! The line about a run in progress.

use stampede_time::{Nanos, SECOND};

use super::format::{grouped_decimal, percent};
use crate::metrics::aggregate::Snapshot;

/// The columns of the bar.
const BAR_COLUMNS: usize = 24;

/// Formats the share of the planned time that has passed as a bar, before a line; nothing if no end is planned.
pub(crate) fn bar(elapsed: Nanos, planned: Option<Nanos>) -> String {
    let Some(planned) = planned.filter(|planned| *planned > 0) else { return String::new() };
    let done = (u128::from(elapsed.min(planned)) * BAR_COLUMNS as u128 / u128::from(planned)) as usize;
    let tip = if done < BAR_COLUMNS { ">" } else { "" };
    format!("[{}{tip}{}] ", "=".repeat(done), " ".repeat((BAR_COLUMNS - done).saturating_sub(1)))
}

/// Formats the line: `12 s elapsed, 108 s left | 500 users | 498.2 rps | 0.1 % errors | load × 1.5`. The share of
/// errors covers the whole run so far.
pub(crate) fn line(snapshot: &Snapshot, planned: Option<Nanos>, load: &str) -> String {
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
    fn the_bar() {
        assert_eq!(bar(SECOND, None), "");
        assert_eq!(bar(0, Some(10 * SECOND)), "[>                       ] ");
        assert_eq!(bar(5 * SECOND, Some(10 * SECOND)), "[============>           ] ");
        assert_eq!(bar(11 * SECOND, Some(10 * SECOND)), "[========================] ");
    }
}
