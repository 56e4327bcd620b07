//! `merge`: reports of several machines as one.

use std::path::Path;

use crate::cli::{Latency, MergeArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::report::{self, Output, Report, merge, read};

/// Adds the reports up, prints the table, and writes the files of `--out`.
///
/// # Errors
/// A file is no report, two of them are of different scripts, or a file cannot be written.
pub fn merge(args: &MergeArgs) -> Result<Exit, Diagnostics> {
    let mut found = Diagnostics::default();
    let reports = found.absorb(named(&args.reports));
    let outputs: Vec<Output> =
        args.out.iter().filter_map(|out| found.absorb(Output::open(out).map_err(Diagnostics::from))).collect();
    let reports = found.into_result(reports)?.unwrap_or_default();
    let merged = merge::merge(reports)
        .map_err(|why| Diagnostic::new("usage::report", why).help("only reports of the same script can be added"))?;
    let mut found = Diagnostics::default();
    for output in outputs {
        found.absorb(output.write(&merged).map_err(Diagnostics::from));
    }
    super::print(report::table(&merged, Latency::default()).as_bytes())?;
    found.into_result(Exit::Done)
}

/// Reads all the files, each with its name.
fn named(paths: &[impl AsRef<Path>]) -> Result<Vec<(String, Report)>, Diagnostics> {
    let mut found = Diagnostics::default();
    let read = paths.iter().filter_map(|path| {
        let path = path.as_ref();
        let report = found.absorb(read::read(path).map_err(Diagnostics::from))?;
        Some((path.display().to_string(), report))
    });
    let reports = read.collect();
    found.into_result(reports)
}
