//! Compares two runs of the same script, action by action, and says how certain each change is. Both reports are
//! samples, so each number is drawn many times from what its run measured (a bootstrap). The result is an interval that
//! contains the change in 99 of 100 cases. A change is *worse* only if that whole interval is beyond the tolerance.
//!
//! The interval covers the spread within the runs, not anything else that differed between them. The draws are:
//!
//! - a percentile: its rank in a resample of the histogram is Beta-distributed, so the histogram is read at a rank
//!   drawn from that distribution, which is equivalent to drawing all its values again;
//! - the share of errors: also Beta-distributed, from the counts;
//! - requests per second: the seconds of the series, drawn with replacement.

use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Beta, Distribution};
use rand_pcg::Pcg64Mcg;

use super::model::{Report, RowReport, RowSeries, TimeSeries};
use super::read::decode_times;
use super::row_alignment;
use crate::metrics::survival::SurvivalEstimate;
use crate::script::outcome::OutcomeFilter;
use crate::text::one_line;

/// The number of draws for each compared number.
const DRAWS: usize = 2_000;
/// The probability beyond each end of the interval, 0 to 1.
const TAIL_PROBABILITY: f64 = 0.005;
/// The fewest stretches of the series needed to judge a rate.
const MIN_INTERVALS: usize = 5;
/// The fewest values needed on either side of a percentile to judge it.
const MIN_TAIL_SAMPLES: f64 = 5.0;
/// The smallest tolerance for the share of errors, as a difference of shares, however small the base's share is.
const MIN_ERROR_INCREASE: f64 = 0.001;

/// The comparison of two reports.
#[derive(Clone, Debug)]
pub(crate) struct ReportComparison {
    /// The exchanges whose times were compared.
    pub outcome: OutcomeFilter,
    /// The actions, in the order of the rows.
    pub actions: Vec<ActionChanges>,
}

/// The changes of one action.
#[derive(Clone, Debug)]
pub(crate) struct ActionChanges {
    /// The step's name.
    pub name: String,
    /// One per [`ComparedMetric`], in the order of its variants.
    pub changes: Vec<MetricChange>,
}

/// The change of one number of one action.
#[derive(Clone, Debug)]
pub(crate) struct MetricChange {
    /// The number.
    pub metric: ComparedMetric,
    /// Its value in the base; `None` if nothing was measured.
    pub base: Option<f64>,
    /// Its value in the new report.
    pub new: Option<f64>,
    /// The interval that contains the change with 99 % confidence; `None` if too little was measured.
    pub interval: Option<ChangeInterval>,
    /// The verdict on the change.
    pub verdict: ChangeVerdict,
}

/// An interval that contains a change. It is relative to the base; for errors, it is the difference of the shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ChangeInterval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The numbers that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComparedMetric {
    /// Requests per second.
    Rps,
    /// Share of requests that failed.
    Errors,
    /// Median response time in microseconds.
    P50,
    /// 95th percentile of the response time in microseconds.
    P95,
    /// 99th percentile of the response time in microseconds.
    P99,
}

/// The verdict on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeVerdict {
    /// The whole interval is within the tolerance.
    WithinTolerance,
    /// The whole interval is beyond the tolerance, for the better.
    Better,
    /// The whole interval is beyond the tolerance, for the worse.
    Worse,
    /// The interval crosses the tolerance.
    Inconclusive,
    /// Too little was measured to judge.
    TooFewSamples,
}

impl ReportComparison {
    /// Returns `true` if any number is worse.
    pub(crate) fn is_worse(&self) -> bool {
        self.actions.iter().flat_map(|action| &action.changes).any(|change| change.verdict == ChangeVerdict::Worse)
    }
}

/// Compares two reports with the same rows, in the times of exchanges with one outcome or of all. `tolerance` is
/// relative: 0.05 is 5 %.
///
/// # Errors
/// A message if a histogram cannot be read, or a report does not tell the outcomes apart.
pub(crate) fn compare(
    base: &Report,
    new: &Report,
    outcome: OutcomeFilter,
    tolerance: f64,
) -> Result<ReportComparison, String> {
    // A fixed seed: comparing the same reports again gives the same verdicts.
    let mut bootstrap = Bootstrap { tolerance, random: Pcg64Mcg::seed_from_u64(0) };
    let (mut base, mut new) = (base.clone(), new.clone());
    row_alignment::align(&mut base, &mut new);
    let rows = base.actions.iter().zip(&base.series.actions).zip(new.actions.iter().zip(&new.series.actions));
    let rows = rows.filter(|((base_row, _), (new_row, _))| base_row.is_shown() || new_row.is_shown());
    let actions = rows.map(|((base_row, base_series), (new_row, new_series))| {
        let rows = BaseAndNew { base: base_row, new: new_row };
        let rates = BaseAndNew {
            base: RateSamples { row: base_row, rates: rate_per_interval(&base.series, base_series) },
            new: RateSamples { row: new_row, rates: rate_per_interval(&new.series, new_series) },
        };
        let times = |row| ResponseTimes::from_row(row, outcome);
        let times = BaseAndNew { base: times(base_row)?, new: times(new_row)? };
        let mut changes = vec![bootstrap.rate_change(&rates), bootstrap.error_share_change(&rows)];
        for (metric, quantile) in [(ComparedMetric::P50, 0.5), (ComparedMetric::P95, 0.95), (ComparedMetric::P99, 0.99)]
        {
            changes.push(bootstrap.percentile_change(metric, quantile, &times));
        }
        Ok(ActionChanges { name: base_row.name.clone(), changes })
    });
    Ok(ReportComparison { outcome, actions: actions.collect::<Result<_, String>>()? })
}

/// A value of the base and the corresponding value of the new report.
struct BaseAndNew<T> {
    base: T,
    new: T,
}

/// The requests per second of an action, for each stretch of its series.
struct RateSamples<'a> {
    row: &'a RowReport,
    rates: Vec<f64>,
}

/// The limits within which a number may change for the worse and for the better.
#[derive(Clone, Copy)]
struct Tolerances {
    worse: f64,
    better: f64,
}

/// A change as estimated from the draws.
struct ChangeEstimate {
    interval: ChangeInterval,
    verdict: ChangeVerdict,
}

/// Turns the drawn changes into an interval and a verdict. `sign` is 1 if greater is worse, -1 if smaller is.
fn classify(mut samples: Vec<f64>, sign: f64, tolerances: Tolerances) -> ChangeEstimate {
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[(share * (samples.len() - 1) as f64).round() as usize];
    let (low, high) = (at(TAIL_PROBABILITY), at(1.0 - TAIL_PROBABILITY));
    let (least, greatest) = if sign > 0.0 { (low, high) } else { (-high, -low) };
    let verdict = if least > tolerances.worse {
        ChangeVerdict::Worse
    } else if greatest < -tolerances.better {
        ChangeVerdict::Better
    } else if greatest <= tolerances.worse && least >= -tolerances.better {
        ChangeVerdict::WithinTolerance
    } else {
        ChangeVerdict::Inconclusive
    };
    ChangeEstimate { interval: ChangeInterval { low, high }, verdict }
}

fn metric_change(
    metric: ComparedMetric,
    values: BaseAndNew<Option<f64>>,
    estimate: Option<ChangeEstimate>,
) -> MetricChange {
    let verdict = estimate.as_ref().map_or(ChangeVerdict::TooFewSamples, |estimate| estimate.verdict);
    let interval = estimate.map(|estimate| estimate.interval);
    MetricChange { metric, base: values.base, new: values.new, interval, verdict }
}

/// A bootstrap that draws the numbers of both runs [`DRAWS`] times.
struct Bootstrap<R: Rng> {
    /// The relative change that is neither better nor worse.
    tolerance: f64,
    random: R,
}

impl<R: Rng> Bootstrap<R> {
    const fn tolerances(&self) -> Tolerances {
        Tolerances { worse: self.tolerance, better: self.tolerance }
    }

    fn rate_change(&mut self, samples: &BaseAndNew<RateSamples>) -> MetricChange {
        let BaseAndNew { base, new } = samples;
        let (base_rates, new_rates) = (&base.rates, &new.rates);
        let is_enough = base_rates.len() >= MIN_INTERVALS
            && new_rates.len() >= MIN_INTERVALS
            && base_rates.iter().any(|rate| *rate > 0.0);
        let random = &mut self.random;
        let draws = is_enough.then(|| {
            let draw =
                |_| resampled_mean(new_rates, random) / resampled_mean(base_rates, random).max(f64::MIN_POSITIVE) - 1.0;
            (0..DRAWS).map(draw).collect::<Vec<_>>()
        });
        let estimate = draws.map(|draws| classify(draws, -1.0, self.tolerances()));
        let values = BaseAndNew { base: Some(base.row.requests.rps), new: Some(new.row.requests.rps) };
        metric_change(ComparedMetric::Rps, values, estimate)
    }

    fn error_share_change(&mut self, rows: &BaseAndNew<&RowReport>) -> MetricChange {
        let share =
            |row: &RowReport| (row.requests.total > 0).then(|| row.requests.err as f64 / row.requests.total as f64);
        let drawn = |row: &RowReport| Beta::new(row.requests.err as f64 + 0.5, row.requests.ok as f64 + 0.5).ok();
        let (base, new) = (rows.base, rows.new);
        let estimate = match (share(base), drawn(base), share(new), drawn(new)) {
            (Some(base_share), Some(base), Some(_), Some(new)) => {
                let random = &mut self.random;
                let draws = (0..DRAWS).map(|_| new.sample(random) - base.sample(random)).collect();
                let limit = (base_share * self.tolerance).max(MIN_ERROR_INCREASE);
                Some(classify(draws, 1.0, Tolerances { worse: limit, better: limit }))
            }
            _ => None,
        };
        metric_change(ComparedMetric::Errors, BaseAndNew { base: share(base), new: share(new) }, estimate)
    }

    fn percentile_change(
        &mut self,
        metric: ComparedMetric,
        quantile: f64,
        times: &BaseAndNew<ResponseTimes>,
    ) -> MetricChange {
        let BaseAndNew { base, new } = times;
        let estimate = match (base.rank_distribution(quantile), new.rank_distribution(quantile)) {
            (Some(base_rank), Some(new_rank)) => {
                let random = &mut self.random;
                let draw = |_| {
                    let (new, base) =
                        (new.quantile(new_rank.sample(random))?, base.quantile(base_rank.sample(random))?);
                    Some(new / base.max(1.0) - 1.0)
                };
                let draws: Vec<f64> = (0..DRAWS).filter_map(draw).collect();
                Some(classify(draws, 1.0, self.tolerances()))
            }
            _ => None,
        };
        metric_change(metric, BaseAndNew { base: base.quantile(quantile), new: new.quantile(quantile) }, estimate)
    }
}

/// Returns the rate in each stretch except the last, which the end of the run cuts off.
fn rate_per_interval(series: &TimeSeries, row: &RowSeries) -> Vec<f64> {
    let stretch = f64::from(series.resolution_s);
    let all = row.ok.iter().zip(&row.err).map(|(ok, err)| (ok + err) as f64 / stretch);
    all.take(row.ok.len().saturating_sub(1)).collect()
}

/// Returns the mean of a resample: as many values as there are, drawn with replacement.
fn resampled_mean(values: &[f64], random: &mut impl Rng) -> f64 {
    (0..values.len()).map(|_| values[random.random_range(0..values.len())]).sum::<f64>() / values.len() as f64
}

/// The response times of an action, those that were cut off included; `None` if there are none.
struct ResponseTimes(Option<SurvivalEstimate>);

impl ResponseTimes {
    fn from_row(row: &RowReport, outcome: OutcomeFilter) -> Result<Self, String> {
        if outcome != OutcomeFilter::All && row.by_outcome.is_none() {
            let name = one_line(&row.name);
            return Err(format!(
                "a report of an earlier version does not tell which times of `{name}` are of failures"
            ));
        }
        Ok(Self(decode_times(row.histograms.response_times(outcome))?.estimate()))
    }

    /// Returns the value that this share of all values does not exceed; `None` if there are none.
    fn quantile(&self, share: f64) -> Option<f64> {
        self.0.as_ref().map(|times| times.quantile(share).value as f64)
    }

    /// Returns the distribution of the percentile's rank in a resample; `None` if either side of it has too few values.
    fn rank_distribution(&self, quantile: f64) -> Option<Beta<f64>> {
        let count = self.0.as_ref()?.count() as f64;
        let enough = count * quantile.min(1.0 - quantile) >= MIN_TAIL_SAMPLES;
        enough.then(|| Beta::new(quantile * count, (1.0 - quantile) * count).ok()).flatten()
    }
}

#[cfg(test)]
mod tests;
