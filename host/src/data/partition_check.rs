//! The check that every user gets a share: a set that is divided among users needs a row for each of them.

use std::sync::Arc;

use super::{DataSets, Partition};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::script::model::{DataSpec, Spanned};

/// Checks that every set that is divided among users has a row for each of them.
///
/// # Errors
/// Returns an error for each set that does not, at its `partition`.
pub(crate) fn check_rows_per_user(
    sets: &DataSets,
    users: u32,
    declared: &[(Spanned<String>, DataSpec)],
    source: &Arc<SourceText>,
) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    for set in sets.iter().filter(|set| set.feed().partition == Partition::User && set.rows() < users as usize) {
        let message = format!("data set `{}` has {} rows to divide among {users} users", set.name(), set.rows());
        let diagnostic = Diagnostic::new("script::data-share", message)
            .help("`partition: user` needs a row for each user: use more rows or fewer users");
        let entry = declared.iter().find(|(name, _)| name.value == set.name());
        diagnostics.push(match entry.and_then(|(_, entry)| entry.partition.as_ref()) {
            Some(typed) => diagnostic.at(source, typed.span, "too few rows"),
            None => diagnostic,
        });
    }
    diagnostics.into_result(())
}
