//! Two runs of the same script, action by action: what has changed, and how sure that is. Both reports are samples; so each
//! number is drawn again many times from what its run measured (a bootstrap), and the change is known as an interval that
//! holds it in 99 of 100 cases. A change is *worse* only if that whole interval is beyond the tolerance.
//!
//! The interval knows the spread within the runs, not what else was different on the day. What is drawn:
//!
//! - a percentile: the rank that it has in a resample of the histogram is Beta-distributed, so the histogram is read there,
//!   which is the same as drawing all its values anew;
//! - the share of errors: Beta-distributed as well, from the counts;
//! - requests per second: the seconds of the series, drawn with replacement.

use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Beta, Distribution};
use rand_pcg::Pcg64Mcg;

use super::model::{Report, RowReport, RowSeries, TimeSeries};
use super::read::decode_micros;
use crate::metrics::histogram::FINE;

/// How often each number is drawn.
const DRAWS: usize = 2_000;
/// How much is left outside of the interval on each side, in 1.
const TAIL_PROBABILITY: f64 = 0.005;
/// The fewest stretches of the series from which a rate is judged.
const MIN_INTERVALS: usize = 5;
/// The fewest values beyond a percentile from which it is judged.
const MIN_TAIL_SAMPLES: f64 = 5.0;
/// A share of errors that has grown by less than this is not worse, whatever it was.
const MIN_ERROR_INCREASE: f64 = 0.001;

/// What the comparison of two reports says.
#[derive(Clone, Debug)]
pub struct ReportComparison {
    /// Of each action, in the order of the rows.
    pub actions: Vec<(String, Vec<MetricChange>)>,
}

/// One number of one action.
#[derive(Clone, Debug)]
pub struct MetricChange {
    /// Which number.
    pub metric: ComparedMetric,
    /// It was this; `None` if nothing was measured.
    pub base: Option<f64>,
    /// And is this.
    pub new: Option<f64>,
    /// Where the change is with 99 % confidence: relative to the base, of errors the difference of the shares. `None` if
    /// there is too little to tell.
    pub interval: Option<(f64, f64)>,
    /// What that means.
    pub verdict: ChangeVerdict,
}

/// The numbers that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparedMetric {
    /// Requests per second.
    Rps,
    /// Share of requests that failed.
    Errors,
    /// Median response time in microseconds.
    P50,
    /// 95th percentile of it.
    P95,
    /// 99th percentile of it.
    P99,
}

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeVerdict {
    /// Within the tolerance, surely.
    WithinTolerance,
    /// Beyond the tolerance, surely, to the good.
    Better,
    /// Beyond the tolerance, surely, to the bad.
    Worse,
    /// Either is possible.
    Inconclusive,
    /// Too little was measured.
    TooFewSamples,
}

impl ReportComparison {
    /// Whether anything is worse.
    pub fn is_worse(&self) -> bool {
        self.actions.iter().flat_map(|(_, changes)| changes).any(|change| change.verdict == ChangeVerdict::Worse)
    }
}

/// Compares two reports of the same rows. `tolerance` is relative: 0.05 are 5 %.
///
/// # Errors
/// A histogram cannot be read.
pub fn compare(base: &Report, new: &Report, tolerance: f64) -> Result<ReportComparison, String> {
    // The same reports are judged the same every time.
    let mut random = Pcg64Mcg::seed_from_u64(0);
    let rows = base.actions.iter().zip(&base.series.actions).zip(new.actions.iter().zip(&new.series.actions));
    let actions = rows.map(|((base_row, base_series), (new_row, new_series))| {
        let mut changes = vec![
            rate_change(
                (base_row, &rate_per_interval(&base.series, base_series)),
                (new_row, &rate_per_interval(&new.series, new_series)),
                tolerance,
                &mut random,
            ),
            error_share_change(base_row, new_row, tolerance, &mut random),
        ];
        let (base_times, new_times) = (CumulativeCounts::from_row(base_row)?, CumulativeCounts::from_row(new_row)?);
        for (what, quantile) in [(ComparedMetric::P50, 0.5), (ComparedMetric::P95, 0.95), (ComparedMetric::P99, 0.99)] {
            changes.push(percentile_change(what, quantile, (&base_times, &new_times), (tolerance, &mut random)));
        }
        Ok((base_row.name.clone(), changes))
    });
    Ok(ReportComparison { actions: actions.collect::<Result<_, String>>()? })
}

/// From what the change is drawn, often, to what it means. `sign` is 1 if more is worse; `limits` are by how much it may
/// change to the bad and to the good.
fn classify(mut samples: Vec<f64>, sign: f64, (bad, good): (f64, f64)) -> ((f64, f64), ChangeVerdict) {
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[(share * (samples.len() - 1) as f64).round() as usize];
    let (low, high) = (at(TAIL_PROBABILITY), at(1.0 - TAIL_PROBABILITY));
    let (least, most) = if sign > 0.0 { (low, high) } else { (-high, -low) };
    let judgement = if least > bad {
        ChangeVerdict::Worse
    } else if most < -good {
        ChangeVerdict::Better
    } else if most <= bad && least >= -good {
        ChangeVerdict::WithinTolerance
    } else {
        ChangeVerdict::Inconclusive
    };
    ((low, high), judgement)
}

fn metric_change(
    what: ComparedMetric,
    (base, new): (Option<f64>, Option<f64>),
    judged: Option<((f64, f64), ChangeVerdict)>,
) -> MetricChange {
    let (interval, judgement) = judged.map_or((None, ChangeVerdict::TooFewSamples), |(at, what)| (Some(at), what));
    MetricChange { metric: what, base, new, interval, verdict: judgement }
}

fn rate_change(
    (base_row, base): (&RowReport, &[f64]),
    (new_row, new): (&RowReport, &[f64]),
    tolerance: f64,
    random: &mut impl Rng,
) -> MetricChange {
    let enough = base.len() >= MIN_INTERVALS && new.len() >= MIN_INTERVALS && base.iter().any(|rate| *rate > 0.0);
    let result = enough.then(|| {
        let draws =
            (0..DRAWS).map(|_| resampled_mean(new, random) / resampled_mean(base, random).max(f64::MIN_POSITIVE) - 1.0);
        classify(draws.collect(), -1.0, (tolerance, tolerance))
    });
    metric_change(ComparedMetric::Rps, (Some(base_row.requests.rps), Some(new_row.requests.rps)), result)
}

/// The rate in each stretch but the last, which the end of the run cuts off.
fn rate_per_interval(series: &TimeSeries, row: &RowSeries) -> Vec<f64> {
    let stretch = f64::from(series.resolution_s);
    let all = row.ok.iter().zip(&row.err).map(|(ok, err)| (ok + err) as f64 / stretch);
    all.take(row.ok.len().saturating_sub(1)).collect()
}

/// The mean of as many of the values, drawn with replacement.
fn resampled_mean(values: &[f64], random: &mut impl Rng) -> f64 {
    (0..values.len()).map(|_| values[random.random_range(0..values.len())]).sum::<f64>() / values.len() as f64
}

fn error_share_change(base: &RowReport, new: &RowReport, tolerance: f64, random: &mut impl Rng) -> MetricChange {
    let share = |row: &RowReport| (row.requests.total > 0).then(|| row.requests.err as f64 / row.requests.total as f64);
    let drawn = |row: &RowReport| Beta::new(row.requests.err as f64 + 0.5, row.requests.ok as f64 + 0.5).ok();
    let result = match (share(base), drawn(base), share(new), drawn(new)) {
        (Some(was), Some(a), Some(_), Some(b)) => {
            let draws = (0..DRAWS).map(|_| b.sample(random) - a.sample(random)).collect();
            let limit = (was * tolerance).max(MIN_ERROR_INCREASE);
            Some(classify(draws, 1.0, (limit, limit)))
        }
        _ => None,
    };
    metric_change(ComparedMetric::Errors, (share(base), share(new)), result)
}

/// The response times of an action: each value and how many are up to it.
struct CumulativeCounts(Vec<(u64, u64)>);

impl CumulativeCounts {
    fn from_row(row: &RowReport) -> Result<Self, String> {
        let histogram = decode_micros(&row.histograms.response_time, FINE)?;
        let mut upto = 0;
        let bins = histogram.iter_recorded().map(|bin| {
            upto += bin.count_since_last_iteration();
            (bin.value_iterated_to(), upto)
        });
        Ok(Self(bins.collect()))
    }

    fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, upto)| *upto)
    }

    /// The value that this share of all is up to; there must be one.
    fn quantile(&self, share: f64) -> f64 {
        let rank = ((share * self.count() as f64).ceil() as u64).clamp(1, self.count());
        let bin = self.0.partition_point(|(_, upto)| *upto < rank).min(self.0.len() - 1);
        self.0[bin].0 as f64
    }

    /// Where the percentile's rank is in a resample; `None` if there is too little beyond it.
    fn rank_distribution(&self, quantile: f64) -> Option<Beta<f64>> {
        let count = self.count() as f64;
        let enough = count * quantile.min(1.0 - quantile) >= MIN_TAIL_SAMPLES;
        enough.then(|| Beta::new(quantile * count, (1.0 - quantile) * count).ok()).flatten()
    }
}

fn percentile_change(
    what: ComparedMetric,
    quantile: f64,
    (base, new): (&CumulativeCounts, &CumulativeCounts),
    (tolerance, random): (f64, &mut impl Rng),
) -> MetricChange {
    let point = |times: &CumulativeCounts| (times.count() > 0).then(|| times.quantile(quantile));
    let result = match (base.rank_distribution(quantile), new.rank_distribution(quantile)) {
        (Some(a), Some(b)) => {
            let draws =
                (0..DRAWS).map(|_| new.quantile(b.sample(random)) / base.quantile(a.sample(random)).max(1.0) - 1.0);
            Some(classify(draws.collect(), 1.0, (tolerance, tolerance)))
        }
        _ => None,
    };
    metric_change(what, (point(base), point(new)), result)
}

#[cfg(test)]
mod tests;
