//! The segments of one run among the reports to merge: each once, and all of them if the run is to pass.

use super::named::NamedReport;
use crate::diagnostic::Diagnostic;
use crate::report::model::ThresholdReport;
use crate::report::settings::{RunSegments, RunVerdict};

/// Returns the segments that the reports hold together; `None` if none of them is of a divided run.
///
/// # Errors
/// `usage::report` if the reports are not all segments of one run, or two hold the same segment.
pub(super) fn join(reports: &[NamedReport]) -> Result<Option<RunSegments>, Diagnostic> {
    let [first, others @ ..] = reports else { return Ok(None) };
    for other in others {
        check_same_run(first, other)?;
    }
    let Some(RunSegments { of, .. }) = first.report.settings.segments else { return Ok(None) };
    let mut seen: Vec<(u32, &NamedReport)> = Vec::new();
    for named in reports {
        for number in named.report.settings.segments.iter().flat_map(|segments| &segments.included) {
            if let Some((_, earlier)) = seen.iter().find(|(known, _)| known == number) {
                let message = format!("`{}` and `{}` both hold segment {number} of {of}", earlier.name, named.name);
                return Err(Diagnostic::new("usage::report", message).help("add each segment once"));
            }
            seen.push((*number, named));
        }
    }
    let mut included: Vec<u32> = seen.into_iter().map(|(number, _)| number).collect();
    included.sort_unstable();
    Ok(Some(RunSegments { of, included }))
}

/// Checks that two reports are of one run, if one of them is of a segment.
fn check_same_run(first: &NamedReport, second: &NamedReport) -> Result<(), Diagnostic> {
    let (NamedReport { name: first, report: a }, NamedReport { name: second, report: b }) = (first, second);
    let message = match (&a.settings.segments, &b.settings.segments) {
        (None, None) => return Ok(()),
        (Some(_), None) => format!("`{first}` is a segment of a run, and `{second}` is a whole run"),
        (None, Some(_)) => format!("`{first}` is a whole run, and `{second}` is a segment of one"),
        (Some(a), Some(b)) if a.of != b.of => {
            format!("`{first}` is of a run in {} segments, and `{second}` of one in {}", a.of, b.of)
        }
        _ if a.settings.seed != b.settings.seed => format!("`{first}` and `{second}` have different seeds"),
        _ => {
            let mut loads = a.scenarios.iter().zip(&b.scenarios);
            if loads.all(|(a, b)| a.load.load == b.load.load) && a.settings.rps_total == b.settings.rps_total {
                return Ok(());
            }
            format!("`{first}` and `{second}` have different loads")
        }
    };
    let help =
        "segments of one run have the same script, the same flags but for `--segment`, and the same number of segments";
    Err(Diagnostic::new("usage::report", message).help(help))
}

/// Returns the verdict on a run that was joined from segments. A threshold that failed in one of them decided for that
/// segment alone. A run of which segments are missing does not pass by what was not seen.
pub(super) fn verdict(
    segments: &RunSegments,
    thresholds: &[ThresholdReport],
    reports: &[NamedReport],
) -> Option<RunVerdict> {
    let of_part = |verdict| matches!(verdict, RunVerdict::ThresholdsFailed | RunVerdict::Inconclusive);
    let known: Option<Vec<RunVerdict>> = reports.iter().map(|named| named.report.run.verdict).collect();
    let others = known?.into_iter().filter(|verdict| !of_part(*verdict)).max();
    let is_failed = thresholds.iter().any(|threshold| !threshold.passed);
    let of_run = match segments.missing().as_slice() {
        _ if is_failed => RunVerdict::ThresholdsFailed,
        [] => RunVerdict::Passed,
        _ => RunVerdict::Inconclusive,
    };
    Some(others.map_or(of_run, |other| other.max(of_run)))
}
