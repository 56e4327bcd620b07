//! A report as `merge` and `compare` speak of it.

use crate::report::Report;

/// A report and its name in messages.
#[derive(Clone, Debug)]
pub(crate) struct NamedReport {
    /// The path of its file.
    pub name: String,
    /// The report.
    pub report: Report,
}
