//! The events of a fleet, in words for people.

use stampede_fleet::{
    Doubt, FleetNote, FleetReport, FleetVerdict, MILLION, NodeShare, RunFailure, SegmentReport, StopCause,
};

use crate::diagnostic::Diagnostic;
use crate::report::segments::numbers;
use crate::stderr;

/// Prints what people should know; a run that is quiet prints warnings alone.
pub(super) fn print(note: &FleetNote, is_quiet: bool) {
    let say = |text: String| {
        if !is_quiet {
            stderr::print_line(format_args!("{text}"));
        }
    };
    let warn = |text: String| stderr::print_line(format_args!("warning: {text}"));
    match note {
        FleetNote::Admitted { segment, node, .. } => tracing::info!("segment {}: {node} is ready", segment + 1),
        FleetNote::Refused { segment, node, reason } => {
            warn(format!("{node}, for segment {}, is refused: {reason}", segment + 1));
        }
        FleetNote::UncertainClock { node, bound } => {
            warn(format!("the clock of {node} is known to {} ms only", bound / 1_000_000));
        }
        FleetNote::Starting { absent, .. } if absent.is_empty() => {
            say("all machines are ready: the load begins".into())
        }
        FleetNote::Starting { absent, .. } => {
            warn(format!("the load begins without {}", segments(absent.iter().copied())));
        }
        FleetNote::Resumed { .. } => say("the run has begun before, and is carried on".into()),
        FleetNote::Lost { segment, node, second_end } => {
            warn(format!("segment {} is lost: nothing came from {node} after {second_end} s", segment + 1));
        }
        FleetNote::Returned { segment, node } => warn(format!("segment {}: {node} is back", segment + 1)),
        FleetNote::Ended { segment, node, end } => tracing::info!("segment {}: {node} has ended: {end:?}", segment + 1),
        FleetNote::Stopping(StopCause::Loss) => warn("stopping: more machines are lost than may be".into()),
        FleetNote::Stopping(StopCause::Barrier) => warn("stopping: machines are missing".into()),
        FleetNote::Stopping(StopCause::Operator | StopCause::Threshold) => {}
        FleetNote::Unreadable { node, reason } => warn(format!("{node}: {reason}")),
    }
}

/// Returns the reason why the counts of a run do not allow a verdict; `None` if they do.
pub(super) fn doubt(report: &FleetReport) -> Option<String> {
    match report.verdict(true) {
        FleetVerdict::Passed | FleetVerdict::Failed(RunFailure::Threshold) => None,
        FleetVerdict::Failed(RunFailure::NotStarted) => Some("the load never began".into()),
        FleetVerdict::Failed(RunFailure::Loss) => {
            let lost = segments(report.lost.iter().copied());
            Some(format!("{lost} of {} lost", report.segments.len()))
        }
        FleetVerdict::Inconclusive(Doubt::Coverage) => {
            let percent = f64::from(report.coverage.millionths()) * 100.0 / f64::from(MILLION);
            Some(format!("the counts are about {percent:.2} % of the run"))
        }
        FleetVerdict::Inconclusive(Doubt::Difference) => Some(difference(report)),
        FleetVerdict::Inconclusive(Doubt::Accounting) => {
            let accounting = &report.accounting;
            let (planned, starts, missing) = (accounting.planned, accounting.starts, accounting.missing);
            Some(format!(
                "of {planned} planned iterations, {} began, {} were dropped and {missing} are missing",
                starts.fired, starts.dropped
            ))
        }
    }
}

/// Names the first node whose counts are not the sum of its frames.
fn difference(report: &FleetReport) -> String {
    let differs = |share: &NodeShare| Some((share.node.clone(), share.difference.clone()?));
    let all = report.segments.iter().flat_map(|segment: &SegmentReport| &segment.shares);
    match all.filter_map(differs).next() {
        Some((node, what)) => format!("what {node} has counted is not what has come of it: {what}"),
        None => "counts are not what has come of them".into(),
    }
}

/// Checks that the load of a run began.
///
/// # Errors
/// It did not; the missing segments and the refused machines are named.
pub(super) fn check_started(report: &FleetReport) -> Result<(), Diagnostic> {
    if report.has_started {
        return Ok(());
    }
    if report.stop.is_some_and(|stop| stop.cause == StopCause::Operator) {
        return Err(Diagnostic::new("fleet::barrier", "the run was stopped before its load began"));
    }
    let missing = segments(report.absent.iter().copied());
    let refused = report.refused.iter().map(|refused| format!("; {} is refused: {}", refused.node, refused.reason));
    let message = format!("the load did not begin: no machine has {missing}{}", refused.collect::<String>());
    Err(Diagnostic::new("fleet::barrier", message)
        .help("start a machine for each segment with `fleet node`, or wait longer with `--wait`"))
}

/// Names segments, whose numbers people count from 1.
fn segments(indexes: impl Iterator<Item = u32>) -> String {
    let numbered: Vec<u32> = indexes.map(|segment| segment + 1).collect();
    let noun = if numbered.len() == 1 { "segment" } else { "segments" };
    format!("{noun} {}", numbers(&numbered))
}
