//! Merges the series of several reports. They are laid side by side by the seconds since each run's start. Where more
//! than one has replies, the percentiles of the sum do not follow from theirs, and are left out.

use super::super::model::{RowSeries, SeriesByOutcome, SeriesTimes, TimeSeries};
use super::super::times::PercentileSeries;
use crate::script::outcome::OutcomeFilter;

/// Adds another series.
pub(super) fn add(sum: &mut TimeSeries, more: &TimeSeries) {
    let resolution = sum.resolution_s.max(more.resolution_s);
    let (a, b) = (coarsen(sum, resolution), coarsen(more, resolution));
    let length = a.users_active.len().max(b.users_active.len());
    sum.resolution_s = resolution;
    sum.users_active = (0..length).map(|at| value_at(&a.users_active, at) + value_at(&b.users_active, at)).collect();
    sum.actions = a.actions.iter().zip(&b.actions).map(|(a, b)| add_rows(a, b, length)).collect();
}

/// Returns the value at an index of a list; zero beyond its end.
fn value_at<T: Copy + Default>(list: &[T], at: usize) -> T {
    list.get(at).copied().unwrap_or_default()
}

/// Returns the percentile of the only stretch that has one; `None` if none or several have.
fn single_value(values: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let mut present = values.flatten();
    let first = present.next();
    if present.next().is_some() { None } else { first }
}

fn add_rows(a: &RowSeries, b: &RowSeries, length: usize) -> RowSeries {
    let sums = |a: &[u64], b: &[u64]| (0..length).map(|at| value_at(a, at) + value_at(b, at)).collect();
    let times = |outcome| {
        let requests = |row: &RowSeries, at| match outcome {
            OutcomeFilter::All => value_at(&row.ok, at) + value_at(&row.err, at),
            OutcomeFilter::Ok => value_at(&row.ok, at),
            OutcomeFilter::Failed => value_at(&row.err, at),
        };
        let source = |row: &RowSeries| {
            let is_quiet = (0..length).map(|at| requests(row, at) == 0).collect();
            row.times(outcome).map(|times| PartTimes { is_quiet, times })
        };
        Some(add_times(&source(a)?, &source(b)?, length))
    };
    let all = times(OutcomeFilter::All).unwrap_or_default();
    let has_failures = [a, b].iter().any(|row| row.err.iter().any(|count| *count > 0));
    let by_outcome = has_failures
        .then(|| Some(SeriesByOutcome { ok: times(OutcomeFilter::Ok)?, failed: times(OutcomeFilter::Failed)? }));
    RowSeries {
        name: a.name.clone(),
        ok: sums(&a.ok, &b.ok),
        err: sums(&a.err, &b.err),
        bytes_out: sums(&a.bytes_out, &b.bytes_out),
        bytes_in: sums(&a.bytes_in, &b.bytes_in),
        response_p50_us: all.response_p50_us,
        response_p95_us: all.response_p95_us,
        response_max_us: all.response_max_us,
        response_percentiles: all.response_percentiles,
        by_outcome: by_outcome.flatten(),
    }
}

/// The times of one of two series, and the stretches in which it has no exchange.
struct PartTimes {
    is_quiet: Vec<bool>,
    times: SeriesTimes,
}

fn add_times(a: &PartTimes, b: &PartTimes, length: usize) -> SeriesTimes {
    // A stretch may have replies but no percentile, after an earlier merge or in longer stretches.
    let percentile = |a_list: &[Option<u64>], b_list: &[Option<u64>]| {
        let at = |at: usize| match (a.is_quiet[at], b.is_quiet[at]) {
            (true, _) => value_at(b_list, at),
            (_, true) => value_at(a_list, at),
            _ => None,
        };
        (0..length).map(at).collect()
    };
    let (a, b) = (&a.times, &b.times);
    SeriesTimes {
        response_p50_us: percentile(&a.response_p50_us, &b.response_p50_us),
        response_p95_us: percentile(&a.response_p95_us, &b.response_p95_us),
        response_max_us: (0..length)
            .map(|at| value_at(&a.response_max_us, at).max(value_at(&b.response_max_us, at)))
            .collect(),
        response_percentiles: (a.response_percentiles.iter().zip(&b.response_percentiles))
            .filter(|(a, b)| a.percentile == b.percentile)
            .map(|(a, b)| PercentileSeries {
                percentile: a.percentile,
                values_us: percentile(&a.values_us, &b.values_us),
            })
            .collect(),
    }
}

/// Returns the series in stretches of `resolution` seconds.
fn coarsen(series: &TimeSeries, resolution: u32) -> TimeSeries {
    let each = (resolution / series.resolution_s).max(1) as usize;
    if each == 1 {
        return series.clone();
    }
    let sums = |list: &[u64]| list.chunks(each).map(|chunk| chunk.iter().sum()).collect();
    let row = |row: &RowSeries| {
        let all = coarsen_times(&row.times(OutcomeFilter::All).unwrap_or_default(), each);
        let by_outcome = row.by_outcome.as_ref().map(|times| SeriesByOutcome {
            ok: coarsen_times(&times.ok, each),
            failed: coarsen_times(&times.failed, each),
        });
        RowSeries {
            name: row.name.clone(),
            ok: sums(&row.ok),
            err: sums(&row.err),
            bytes_out: sums(&row.bytes_out),
            bytes_in: sums(&row.bytes_in),
            response_p50_us: all.response_p50_us,
            response_p95_us: all.response_p95_us,
            response_max_us: all.response_max_us,
            response_percentiles: all.response_percentiles,
            by_outcome,
        }
    };
    TimeSeries {
        resolution_s: resolution,
        users_active: series.users_active.chunks(each).map(|c| c.iter().copied().max().unwrap_or(0)).collect(),
        actions: series.actions.iter().map(row).collect(),
    }
}

fn coarsen_times(times: &SeriesTimes, each: usize) -> SeriesTimes {
    let only = |list: &[Option<u64>]| list.chunks(each).map(|chunk| single_value(chunk.iter().copied())).collect();
    let longest = |chunk: &[Option<u64>]| chunk.iter().copied().max().flatten();
    SeriesTimes {
        response_p50_us: only(&times.response_p50_us),
        response_p95_us: only(&times.response_p95_us),
        response_max_us: times.response_max_us.chunks(each).map(longest).collect(),
        response_percentiles: (times.response_percentiles.iter())
            .map(|one| PercentileSeries { percentile: one.percentile, values_us: only(&one.values_us) })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_stretches_take_in_shorter_ones() {
        let times = |list: &[u64]| {
            let list: Vec<_> = list.iter().map(|time| (*time > 0).then_some(*time)).collect();
            let (response_p50_us, response_p95_us) = (list.clone(), list.clone());
            SeriesTimes { response_p50_us, response_p95_us, response_max_us: list, response_percentiles: Vec::new() }
        };
        let row = RowSeries {
            name: "a".into(),
            ok: vec![1, 2, 3],
            err: vec![0, 1, 0],
            bytes_out: vec![10, 10, 10],
            bytes_in: vec![5, 5, 5],
            response_p50_us: vec![Some(7), None, Some(9)],
            response_p95_us: vec![Some(7), Some(8), Some(9)],
            response_max_us: vec![Some(7), Some(8), None],
            response_percentiles: vec![PercentileSeries { percentile: 99.0, values_us: vec![None, Some(8), Some(9)] }],
            by_outcome: Some(SeriesByOutcome { ok: times(&[7, 8, 9]), failed: times(&[0, 5, 0]) }),
        };
        let series = TimeSeries { resolution_s: 1, users_active: vec![3, 5, 4], actions: vec![row] };
        let coarse = coarsen(&series, 2);
        assert_eq!((coarse.users_active, coarse.resolution_s), (vec![5, 4], 2));
        let row = &coarse.actions[0];
        assert_eq!((&row.ok, &row.err), (&vec![3, 3], &vec![1, 0]));
        assert_eq!((&row.response_p50_us, &row.response_p95_us), (&vec![Some(7), Some(9)], &vec![None, Some(9)]));
        assert_eq!(row.response_max_us, [Some(8), None]);
        assert_eq!(row.response_percentiles[0].values_us, [Some(8), Some(9)]);
        let SeriesByOutcome { ok, failed } = row.by_outcome.as_ref().expect("it has failures");
        assert_eq!((&ok.response_max_us, &ok.response_p50_us), (&vec![Some(8), Some(9)], &vec![None, Some(9)]));
        assert_eq!((&failed.response_max_us, &failed.response_p50_us), (&vec![Some(5), None], &vec![Some(5), None]));
    }
}
