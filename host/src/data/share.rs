//! Whether every user gets a share: rows that are divided among users must be as many as these.

use std::sync::Arc;

use super::{DataSets, Partition};
use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::script::model::{DataEntry, Spanned};

/// Finds the sets that give some user no row at all.
///
/// # Errors
/// All of them, at their `partition`.
pub fn too_few_rows(
    sets: &DataSets,
    users: u32,
    declared: &[(Spanned<String>, DataEntry)],
    source: &Arc<Source>,
) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::default();
    for set in sets.iter().filter(|set| set.feed().partition == Partition::User && set.rows() < users as usize) {
        let message = format!("data set `{}` has {} rows to divide among {users} users", set.name(), set.rows());
        let diagnostic = Diagnostic::new("script::data-share", message)
            .help("`partition: user` needs a row for each user: use more rows or fewer users");
        let entry = declared.iter().find(|(name, _)| name.value == set.name());
        found.push(match entry.and_then(|(_, entry)| entry.partition.as_ref()) {
            Some(typed) => diagnostic.at(source, typed.span, "too few rows"),
            None => diagnostic,
        });
    }
    found.into_result(())
}
