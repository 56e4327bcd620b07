//! The names by which readers tell rows apart. They come from the script alone, never from a request, so a URL is none
//! of them. Their number and their length are limited all the same: a script may have been generated.

use std::collections::BTreeMap;

use crate::metrics::aggregate::RowInfo;
use crate::text::one_line;

/// The number of rows that are told apart. The rest are together in one whose names are [`OTHER`].
pub(in crate::sinks) const MAX_ROWS: usize = 1_000;

/// The name of what is one too many.
pub(in crate::sinks) const OTHER: &str = "other";

/// The length of a name, in characters.
const MAX_CHARS: usize = 128;

/// The names of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sinks) struct RowLabels {
    /// The scenario; `None` in the plain form and for the sign-in.
    pub scenario: Option<String>,
    /// The step's name.
    pub step: String,
    /// The action that the step runs.
    pub action: String,
    /// True if the row is below that of a step, and not shown without requests.
    pub is_part: bool,
}

impl RowLabels {
    pub(super) fn of(row: &RowInfo) -> Self {
        Self {
            scenario: row.scenario.as_deref().map(short_label),
            step: short_label(&row.name),
            action: short_label(&row.action),
            is_part: row.part.is_some(),
        }
    }
}

/// Returns a name in one line, without what is too long of it.
pub(in crate::sinks) fn short_label(name: &str) -> String {
    one_line(name).chars().take(MAX_CHARS).collect()
}

/// Returns the names that differ, and the place of each row among them.
pub(super) fn merge_rows(rows: &[RowInfo]) -> (Vec<RowLabels>, Vec<usize>) {
    let (mut known, mut distinct) = (BTreeMap::new(), Vec::new());
    let places = rows.iter().map(|row| {
        let labels = RowLabels::of(row);
        let is_one_too_many = distinct.len() >= MAX_ROWS - 1 && !known.contains_key(&labels);
        let labels = if is_one_too_many && rows.len() > MAX_ROWS {
            RowLabels { step: OTHER.into(), action: OTHER.into(), ..RowLabels::default() }
        } else {
            labels
        };
        *known.entry(labels).or_insert_with_key(|labels| {
            distinct.push(labels.clone());
            distinct.len() - 1
        })
    });
    let places = places.collect();
    (distinct, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> RowInfo {
        RowInfo {
            scenario: None,
            name: name.into(),
            action: "http".into(),
            tags: Vec::new(),
            apdex_target: None,
            part: None,
        }
    }

    #[test]
    fn rows_with_the_same_names_are_one() {
        let long = "x".repeat(MAX_CHARS);
        let names = ["a", "b", "a", &format!("{long}1"), &format!("{long}2"), "c\nd"].map(row);
        let (labels, places) = merge_rows(&names);
        assert_eq!(places, [0, 1, 0, 2, 2, 3]);
        assert_eq!(labels.iter().map(|labels| labels.step.as_str()).collect::<Vec<_>>(), ["a", "b", &long, "c d"]);
    }

    #[test]
    fn the_number_of_rows_is_limited() {
        let rows = |count: usize| merge_rows(&(0..count).map(|n| row(&n.to_string())).collect::<Vec<_>>());
        let (labels, places) = rows(MAX_ROWS);
        assert_eq!((labels.len(), places[MAX_ROWS - 1], labels[MAX_ROWS - 1].step.as_str()), (1_000, 999, "999"));
        let (labels, places) = rows(3 * MAX_ROWS);
        assert_eq!((labels.len(), places.len(), labels[MAX_ROWS - 1].step.as_str()), (1_000, 3_000, OTHER));
        assert!(places[MAX_ROWS - 1..].iter().all(|place| *place == MAX_ROWS - 1));
    }
}
