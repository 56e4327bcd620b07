//! `merge`: adds the reports of several machines up to one, or joins the segments of a run.

use std::fs;
use std::path::Path;

use crate::cli::{LatencyView, MergeArgs};
use crate::command::output::{announce, print};
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::report::merge::NamedReport;
use crate::report::segments::numbers;
use crate::report::settings::RunSegments;
use crate::report::{self, ReportFile, RunVerdict, merge, read};
use crate::stderr;

/// Adds the reports up, prints the table, and writes the files of `--out`. A file of `--out` that is among the reports
/// and holds runs of others is an earlier sum of theirs, and is left out. A run of which segments are missing does not
/// pass unless `--allow-missing` says so.
///
/// # Errors
/// A file is not a report, two of them are of different scripts, or a file cannot be written.
pub(super) fn merge(args: &MergeArgs) -> Result<Exit, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let inputs: Vec<_> = diagnostics.absorb(read_reports(&args.reports)).unwrap_or_default();
    let reports = without_earlier_sums(inputs, &args.out);
    let outputs = diagnostics.absorb(ReportFile::open_all(&args.out)).unwrap_or_default();
    let reports = diagnostics.into_result(reports)?;
    let merged = merge::merge(reports)?;
    let mut merged = match &args.percentiles {
        Some(percentiles) => merged.with_percentiles(&percentiles.0),
        None => merged,
    };
    merged.settings.latency_of = args.latency_of.unwrap_or(merged.settings.latency_of);
    let is_whole = note_missing(merged.settings.segments.as_ref()) || args.allow_missing;
    if is_whole && merged.run.verdict == Some(RunVerdict::Inconclusive) {
        merged.run.verdict = Some(RunVerdict::Passed);
    }
    let mut diagnostics = Diagnostics::default();
    for output in outputs {
        diagnostics.absorb(output.write(&merged).map_err(Diagnostics::from));
    }
    print(report::table(&merged, LatencyView::default()).as_bytes())?;
    diagnostics.into_result(())?;
    if merged.thresholds.iter().any(|threshold| !threshold.passed) {
        return Ok(announce(Exit::ThresholdsFailed));
    }
    Ok(if is_whole { Exit::Success } else { announce(Exit::Inconclusive) })
}

/// Returns true if no segment is missing; otherwise says which ones are.
fn note_missing(segments: Option<&RunSegments>) -> bool {
    let Some(segments) = segments else { return true };
    let missing = segments.missing();
    let noun = match missing.as_slice() {
        [] => return true,
        [_] => "segment",
        _ => "segments",
    };
    let verb = if missing.len() == 1 { "is" } else { "are" };
    stderr::print_line(format_args!("note: {noun} {} of {} {verb} missing", numbers(&missing), segments.of));
    false
}

/// Leaves out the reports that this merge will overwrite and that hold runs of the others, and says so.
fn without_earlier_sums(reports: Vec<NamedReport>, out: &[impl AsRef<Path>]) -> Vec<NamedReport> {
    let is_output = |report: &NamedReport| {
        let same = |out: &Path| fs::canonicalize(out).ok() == fs::canonicalize(&report.name).ok();
        out.iter().any(|out| same(out.as_ref()))
    };
    let holds_others = |report: &NamedReport| {
        let ids = &report.report.run.ids;
        let others = reports.iter().filter(|other| other.name != report.name);
        others.flat_map(|other| &other.report.run.ids).any(|id| ids.contains(id))
    };
    let (sums, reports): (Vec<_>, Vec<_>) =
        reports.iter().cloned().partition(|report| is_output(report) && holds_others(report));
    for sum in sums {
        stderr::print_line(format_args!(
            "note: `{}` is an earlier sum of these reports, so it is not added again",
            sum.name
        ));
    }
    reports
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
