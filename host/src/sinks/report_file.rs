//! `--out`: the report in a file.

use super::sink::Sink;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::Plan;
use crate::report::page::is_page;
use crate::report::{Report, ReportFile};
use crate::run::observer::SecondSnapshot;

/// A file that is written when the run is over.
struct ReportFileSink(Option<ReportFile>);

/// Opens the files of `--out`, so that a file that cannot be written is reported before the run. Pages are left to
/// their own sink, which has more to show than the report.
///
/// # Errors
/// Files cannot be written; all the errors are returned.
pub(super) fn open(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let paths: Vec<_> = args.out.iter().filter(|path| !is_page(path)).cloned().collect();
    let files = ReportFile::open_all(&paths)?;
    Ok(files.into_iter().map(|file| Box::new(ReportFileSink(Some(file))) as Box<dyn Sink>).collect())
}

impl Sink for ReportFileSink {
    fn second(&mut self, _second: &SecondSnapshot) {}

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        self.0.take().map_or(Ok(()), |file| file.write(report))
    }

    fn reads_counts(&self) -> bool {
        false
    }
}
