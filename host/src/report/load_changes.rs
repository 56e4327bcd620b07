//! The table's line about changes of the load during the run.

use super::format::{seconds, short};
use super::model::ChangeReport;
use crate::text::one_line;

/// The greatest number of changes listed one by one.
const MAX_LISTED: usize = 8;

/// Renders the line; empty if nothing changed.
pub(super) fn line(changes: &[ChangeReport]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let listed = changes.iter().take(MAX_LISTED).map(|change| {
        let at = seconds(change.at_us);
        match (change.scale, &change.scenario) {
            (Some(scale), Some(name)) => format!("load of {} × {} at {at}", one_line(name), short(scale)),
            (Some(scale), None) => format!("load × {} at {at}", short(scale)),
            (None, _) => format!("{} at {at}", change.what),
        }
    });
    let more = changes.len().saturating_sub(MAX_LISTED);
    let more = if more == 0 { String::new() } else { format!(", and {more} more changes") };
    format!("Changed while it ran: {}{more}\n", listed.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_changes_and_times() {
        let change = |at_us, what: &'static str, scale, scenario: Option<&str>| ChangeReport {
            at_us,
            what: what.into(),
            scale,
            scenario: scenario.map(Into::into),
        };
        assert_eq!(line(&[]), "");
        let changes = [
            change(1_500_000, "scale", Some(1.5), None),
            change(2_000_000, "scale", Some(0.2), Some("buy")),
            change(3_000_000, "pause", None, None),
        ];
        let expected = "Changed while it ran: load × 1.5 at 1.5 s, load of buy × 0.2 at 2 s, pause at 3 s\n";
        assert_eq!(line(&changes), expected);
        let many = vec![change(1_000_000, "pause", None, None); 10];
        assert!(line(&many).ends_with("pause at 1 s, and 2 more changes\n"));
    }
}
