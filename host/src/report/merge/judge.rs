//! Judges the thresholds of a run that was joined from segments, by the merged counts. What cannot be judged by them
//! stands as the segments judged it: thresholds with a window, those that ended a segment, and those whose tags select
//! what reports do not tell apart.

use stampede_time::Nanos;

use crate::metrics::threshold::Judge;
use crate::plan::thresholds::MetricCatalog;
use crate::report::checks_and_thresholds;
use crate::report::model::{Report, ThresholdReport};
use crate::report::restore::RestoredRun;

/// Judges the thresholds of a merged report again.
///
/// # Errors
/// A histogram of the report cannot be read; the text is for the user.
pub(super) fn judge(report: &mut Report) -> Result<(), String> {
    if report.thresholds.is_empty() {
        return Ok(());
    }
    let run = RestoredRun::of_report(report)?;
    let span: Nanos = report.run.load_us.saturating_mul(1_000);
    let catalog = run.catalog();
    for threshold in &mut report.thresholds {
        if let Some(verdict) = judged(&run, &catalog, threshold, span) {
            *threshold = verdict;
        }
    }
    Ok(())
}

/// Returns the verdict on the whole run; `None` if the merged counts do not give it.
fn judged(
    run: &RestoredRun,
    catalog: &MetricCatalog<'_>,
    threshold: &ThresholdReport,
    span: Nanos,
) -> Option<ThresholdReport> {
    let rule = catalog.of_report(&threshold.metric, &threshold.expression).ok()?;
    if rule.window.is_some() || threshold.aborted {
        return None;
    }
    let verdict = Judge::new(&[rule]).finish(&run.aggregate, span, 0).pop()?;
    Some(checks_and_thresholds::threshold(&verdict))
}
