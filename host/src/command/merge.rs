//! `merge`: adds the reports of several machines up to one.

use std::path::Path;

use crate::cli::{LatencyView, MergeArgs};
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::report::merge::NamedReport;
use crate::report::{self, ReportFile, merge, read};

/// Adds the reports up, prints the table, and writes the files of `--out`.
///
/// # Errors
/// A file is not a report, two of them are of different scripts, or a file cannot be written.
pub(super) fn merge(args: &MergeArgs) -> Result<Exit, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let reports = diagnostics.absorb(read_reports(&args.reports));
    let outputs = diagnostics.absorb(ReportFile::open_all(&args.out)).unwrap_or_default();
    let reports = diagnostics.into_result(reports)?.unwrap_or_default();
    let merged = merge::merge(reports)
        .map_err(|why| Diagnostic::new("usage::report", why).help("only reports of the same script can be added"))?;
    let mut diagnostics = Diagnostics::default();
    for output in outputs {
        diagnostics.absorb(output.write(&merged).map_err(Diagnostics::from));
    }
    print(report::table(&merged, LatencyView::default()).as_bytes())?;
    diagnostics.into_result(Exit::Success)
}

/// Reads the files; each report keeps the name of its file.
fn read_reports(paths: &[impl AsRef<Path>]) -> Result<Vec<NamedReport>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let read = paths.iter().filter_map(|path| {
        let path = path.as_ref();
        let report = diagnostics.absorb(read::read(path).map_err(Diagnostics::from))?;
        Some(NamedReport { name: path.display().to_string(), report })
    });
    let reports = read.collect();
    diagnostics.into_result(reports)
}
