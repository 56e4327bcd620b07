//! The percentiles that the user asks for, beside those that every report has.

use super::model::{DurationStats, EncodedTimes, Report, RowReport, SeriesByOutcome, TimesByOutcome};
use super::read::decode_times;
use super::times::{ChosenPercentile, PercentileSeries};
use crate::metrics::survival::SurvivalEstimate;
use crate::script::outcome::OutcomeFilter;

/// Returns the percentiles that a form of the report shows: those that the user asks for, or its usual ones.
pub(super) fn shown_percentiles<'r>(report: &'r Report, usual: &'r [f64]) -> &'r [f64] {
    if report.settings.percentiles.is_empty() { usual } else { &report.settings.percentiles }
}

impl Report {
    /// Returns the report with these percentiles in the times of its rows. Those of its series come from the run, so
    /// that others than these are removed, and none is added.
    pub(crate) fn with_percentiles(mut self, percentiles: &[f64]) -> Self {
        self.actions.iter_mut().chain([&mut self.totals]).for_each(|row| choose(row, percentiles));
        for row in &mut self.series.actions {
            let chosen = |series: &PercentileSeries| percentiles.contains(&series.percentile);
            row.response_percentiles.retain(chosen);
            if let Some(SeriesByOutcome { ok, failed }) = &mut row.by_outcome {
                ok.response_percentiles.retain(chosen);
                failed.response_percentiles.retain(chosen);
            }
        }
        self.settings.percentiles = percentiles.to_vec();
        self
    }
}

fn choose(row: &mut RowReport, percentiles: &[f64]) {
    let RowReport { histograms, response_time_us, service_time_us, by_outcome, .. } = row;
    let mut all = vec![(OutcomeFilter::All, response_time_us, service_time_us)];
    if let Some(TimesByOutcome { ok, failed }) = by_outcome {
        all.push((OutcomeFilter::Ok, &mut ok.response_time_us, &mut ok.service_time_us));
        all.push((OutcomeFilter::Failed, &mut failed.response_time_us, &mut failed.service_time_us));
    }
    for (outcome, response, service) in all {
        fill(response.as_mut(), histograms.response_times(outcome), percentiles);
        fill(service.as_mut(), histograms.service_times(outcome), percentiles);
    }
}

fn fill(stats: Option<&mut DurationStats>, times: EncodedTimes<'_>, percentiles: &[f64]) {
    let Some(stats) = stats else { return };
    stats.percentiles = match estimate(times).filter(|_| !percentiles.is_empty()) {
        Some(estimate) => percentiles.iter().map(|percentile| chosen(&estimate, *percentile)).collect(),
        None => Vec::new(),
    };
}

fn chosen(estimate: &SurvivalEstimate, percentile: f64) -> ChosenPercentile {
    let found = estimate.quantile(percentile / 100.0);
    ChosenPercentile { percentile, value: found.value, at_least: found.is_lower_bound }
}

/// Returns the distribution of encoded times; `None` if there are none. The reader of a report has checked that
/// its histograms can be decoded.
pub(super) fn estimate(times: EncodedTimes<'_>) -> Option<SurvivalEstimate> {
    decode_times(times).ok()?.estimate()
}

#[cfg(test)]
mod tests {
    use super::super::test_reports;
    use crate::script::outcome::OutcomeFilter;

    #[test]
    fn those_that_every_report_has_come_out_the_same() {
        let usual = [50.0, 75.0, 90.0, 95.0, 99.0, 99.9];
        for report in [test_reports::movies(), test_reports::wide()] {
            let chosen = report.clone().with_percentiles(&usual);
            for (row, with) in report.actions.iter().zip(&chosen.actions) {
                for (times, with) in
                    [(&row.response_time_us, &with.response_time_us), (&row.service_time_us, &with.service_time_us)]
                {
                    let (Some(times), Some(with)) = (times, with) else { continue };
                    assert!(times.percentiles.is_empty());
                    for (percentile, one) in usual.iter().zip(&with.percentiles) {
                        assert_eq!(times.percentile(*percentile).as_ref(), Some(one), "{}", row.name);
                    }
                }
            }
        }
    }

    #[test]
    fn others_are_in_rows_and_series() {
        let report = test_reports::with_percentiles(&[97.5, 99.99]);
        let times = report.totals.response_time_us.as_ref().expect("there were requests");
        assert_eq!(times.percentiles.len(), 2);
        assert!(times.percentiles[0].value <= times.percentiles[1].value);
        assert_eq!(times.percentile(10.0), None);
        let (ok, of_ok) = (OutcomeFilter::Ok, report.actions[2].response_time(OutcomeFilter::Ok));
        assert!(of_ok.is_none() && report.actions[1].response_time(ok) == report.actions[1].response_time_us.as_ref());
        let failed = report.actions[2].response_time(OutcomeFilter::Failed).expect("all failed");
        assert_eq!(Some(failed), report.actions[2].response_time_us.as_ref());
        let series = &report.series.actions[1].response_percentiles;
        assert_eq!(series.iter().map(|series| series.percentile).collect::<Vec<_>>(), [97.5, 99.99]);
        assert_eq!(series[0].values_us.len(), report.series.users_active.len());
        let without = report.with_percentiles(&[97.5]);
        assert_eq!(without.series.actions[1].response_percentiles.len(), 1);
        assert_eq!(without.settings.percentiles, [97.5]);
    }
}
