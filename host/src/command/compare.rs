//! `compare`: whether a run was worse than another one.

use std::path::Path;

use crate::cli::CompareArgs;
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::report::{self, Report, compare, merge, read};

/// Compares two reports and prints what has changed.
///
/// # Errors
/// A file is no report, or the two are of different scripts.
pub fn compare(args: &CompareArgs) -> Result<Exit, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let base = diagnostics.absorb(read::read(&args.base).map_err(Diagnostics::from));
    let new = diagnostics.absorb(read::read(&args.new).map_err(Diagnostics::from));
    let (Some(base), Some(new)) = (base, new) else { return Err(diagnostics) };
    let names = [&args.base, &args.new].map(|path| path.display().to_string());
    merge::check_same_script((&names[0], &base), (&names[1], &new)).map_err(not_comparable)?;
    let (text, exit) = compare_with_base((&args.base, &base), &new, args.tolerance)?;
    print(text.as_bytes())?;
    Ok(exit)
}

/// How much worse a run may be if nothing is said.
const DEFAULT_TOLERANCE: f64 = 0.05;

/// What is to be printed of a comparison, and how to exit.
///
/// # Errors
/// The two cannot be compared.
pub fn compare_with_base(
    (base_path, base): (&Path, &Report),
    new: &Report,
    tolerance: Option<f64>,
) -> Result<(String, Exit), Diagnostic> {
    let tolerance = tolerance.unwrap_or(DEFAULT_TOLERANCE);
    let compared = compare::compare(base, new, tolerance).map_err(not_comparable)?;
    let exit = if compared.is_worse() { Exit::ThresholdsFailed } else { Exit::Success };
    Ok((report::changes(&compared, &base_path.display().to_string(), tolerance), exit))
}

/// The report that a run is going to be compared with, checked while nothing is lost yet.
///
/// # Errors
/// It is no report, or one of other actions than the plan's.
pub fn read_baseline(path: &Path, plan: &Plan) -> Result<Report, Diagnostic> {
    let report = read::read(path)?;
    let mut rows = report.actions.iter().zip(&plan.rows);
    let same = rows.all(|(row, info)| row.name == info.name && row.action.as_ref() == Some(&info.action));
    if same && report.actions.len() == plan.rows.len() {
        return Ok(report);
    }
    Err(not_comparable(format!("the baseline `{}` has other actions than the script", path.display())))
}

fn not_comparable(why: String) -> Diagnostic {
    Diagnostic::new("usage::report", why).help("only reports of the same script can be compared")
}
