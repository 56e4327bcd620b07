//! `compare`: compares a run with an earlier one.

use std::path::{Path, PathBuf};

use crate::cli::CompareArgs;
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::report::{self, Report, compare, merge, read};

/// Compares two reports and prints what has changed.
///
/// # Errors
/// A file is not a report, or the two are of different scripts.
pub fn compare(args: &CompareArgs) -> Result<Exit, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let base = diagnostics.absorb(read::read(&args.base).map_err(Diagnostics::from));
    let new = diagnostics.absorb(read::read(&args.new).map_err(Diagnostics::from));
    let (Some(base), Some(new)) = (base, new) else { return Err(diagnostics) };
    let names = [&args.base, &args.new].map(|path| path.display().to_string());
    merge::check_same_script((&names[0], &base), (&names[1], &new)).map_err(not_comparable)?;
    let baseline = Baseline { path: args.base.clone(), report: base };
    let (text, exit) = compare_with_base(&baseline, &new, args.tolerance)?;
    print(text.as_bytes())?;
    Ok(exit)
}

/// The largest change for the worse that passes by default, as a part of 1.
const DEFAULT_TOLERANCE: f64 = 0.05;

/// An earlier report, and the file that it is from.
pub struct Baseline {
    /// The file.
    pub path: PathBuf,
    /// The report.
    pub report: Report,
}

/// Compares a report with a baseline; returns the text to print and the exit code.
///
/// # Errors
/// The two cannot be compared.
pub fn compare_with_base(
    baseline: &Baseline,
    new: &Report,
    tolerance: Option<f64>,
) -> Result<(String, Exit), Diagnostic> {
    let tolerance = tolerance.unwrap_or(DEFAULT_TOLERANCE);
    let compared = compare::compare(&baseline.report, new, tolerance).map_err(not_comparable)?;
    let exit = if compared.is_worse() { Exit::ThresholdsFailed } else { Exit::Success };
    Ok((report::changes(&compared, &baseline.path.display().to_string(), tolerance), exit))
}

/// Reads the report that a run will be compared with. It is checked before the run, so that a mistake costs nothing.
///
/// # Errors
/// The file is not a report, or its actions are not the plan's.
pub fn read_baseline(path: &Path, plan: &Plan) -> Result<Baseline, Diagnostic> {
    let report = read::read(path)?;
    let mut rows = report.actions.iter().zip(&plan.rows);
    let same = rows.all(|(row, info)| row.name == info.name && row.action.as_ref() == Some(&info.action));
    if same && report.actions.len() == plan.rows.len() {
        return Ok(Baseline { path: path.to_owned(), report });
    }
    Err(not_comparable(format!("the baseline `{}` has other actions than the script", path.display())))
}

fn not_comparable(why: String) -> Diagnostic {
    Diagnostic::new("usage::report", why).help("only reports of the same script can be compared")
}
