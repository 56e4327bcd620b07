//! `compare`: compares a run with an earlier one.

use std::path::{Path, PathBuf};

use crate::cli::CompareArgs;
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::report::compare::ReportComparison;
use crate::report::merge::NamedReport;
use crate::report::page::{ComparedBase, is_page, write_comparison};
use crate::report::{self, Report, ReportFile, compare, merge, read};
use crate::script::outcome::OutcomeFilter;

/// Compares two reports, prints what has changed, and writes the page of `--out`.
///
/// # Errors
/// A file is not a report, the two are of different scripts, or the page cannot be written.
pub(super) fn compare(args: &CompareArgs) -> Result<Exit, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let pages: Vec<_> = args.out.iter().filter_map(|path| diagnostics.absorb(open_page(path))).collect();
    let mut read = |path: &Path| diagnostics.absorb(read::read(path).map_err(Diagnostics::from));
    let (Some(base), Some(new)) = (read(&args.base), read(&args.new)) else { return Err(diagnostics) };
    let pages = diagnostics.into_result(pages)?;
    let [base, new] = [(&args.base, base), (&args.new, new)]
        .map(|(path, report)| NamedReport { name: path.display().to_string(), report });
    merge::check_same_script(&base, &new).map_err(not_comparable)?;
    let base = Baseline { path: args.base.clone(), report: base.report };
    let (outcome, tolerance) = (args.latency_of.unwrap_or_default(), args.tolerance.unwrap_or(DEFAULT_TOLERANCE));
    let comparison = compare::compare(&base.report, &new.report, outcome, tolerance).map_err(not_comparable)?;
    let base_name = base.path.display().to_string();
    let base = ComparedBase { name: &base_name, report: &base.report, comparison: &comparison, tolerance };
    for page in pages {
        page.write_with(|out| write_comparison(&new.report, &base, out))?;
    }
    print(report::changes(&comparison, &base_name, tolerance).as_bytes())?;
    Ok(exit_of(&comparison))
}

fn open_page(path: &Path) -> Result<ReportFile, Diagnostics> {
    if is_page(path) {
        return Ok(ReportFile::open(path)?);
    }
    let message = format!("cannot write a comparison as `{}`: only a page is written", path.display());
    Err(Diagnostic::new("usage::output-format", message).help("give it the extension .html").into())
}

fn exit_of(comparison: &ReportComparison) -> Exit {
    if comparison.is_worse() { Exit::ThresholdsFailed } else { Exit::Success }
}

/// The largest change for the worse that passes by default, as a part of 1.
const DEFAULT_TOLERANCE: f64 = 0.05;

/// A report that others are compared with.
pub(super) struct Baseline {
    /// The path that it was read from.
    path: PathBuf,
    report: Report,
}

/// The end of a comparison.
pub(super) struct ComparisonResult {
    /// The text to print.
    pub text: String,
    /// The exit code.
    pub exit: Exit,
}

/// Compares a report with a baseline, in the times of requests with one outcome or of all.
///
/// # Errors
/// The two cannot be compared.
pub(super) fn compare_with_base(
    base: &Baseline,
    new: &Report,
    outcome: Option<OutcomeFilter>,
    tolerance: Option<f64>,
) -> Result<ComparisonResult, Diagnostic> {
    let (outcome, tolerance) = (outcome.unwrap_or_default(), tolerance.unwrap_or(DEFAULT_TOLERANCE));
    let compared = compare::compare(&base.report, new, outcome, tolerance).map_err(not_comparable)?;
    let text = report::changes(&compared, &base.path.display().to_string(), tolerance);
    Ok(ComparisonResult { text, exit: exit_of(&compared) })
}

/// Reads the report that a run will be compared with, before the run, while nothing is lost yet.
///
/// # Errors
/// The file is not a report, or one of other actions than the plan's.
pub(super) fn read_baseline(path: &Path, plan: &Plan) -> Result<Baseline, Diagnostic> {
    let report = read::read(path)?;
    // Rows below steps are left out of a report without requests in them.
    let rows = report.actions.iter().filter(|row| row.step.is_none()).map(|row| (&row.name, row.action.as_ref()));
    let wanted = plan.rows.iter().filter(|info| info.part.is_none()).map(|info| (&info.name, Some(&info.action)));
    if rows.eq(wanted) {
        return Ok(Baseline { path: path.into(), report });
    }
    Err(not_comparable(format!("the baseline `{}` has other actions than the script", path.display())))
}

fn not_comparable(why: String) -> Diagnostic {
    Diagnostic::new("usage::report", why).help("only reports of the same script can be compared")
}
