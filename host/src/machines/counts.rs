//! The counts of a run as the protocol carries them: the sums of an [`Interval`], and the promised starts that were
//! due.
//!
//! A node knows the shape of its intervals once its plan is built, and it is a node before that. So the shape is set
//! later, in a cell that all counts of a process share.
//!
//! ```text
//! fired | dropped | signed in | gave up | the interval, as `metrics::wire` writes it; nothing if it is empty
//! ```
//!
//! An interval counts an iteration when it ends. A lost node has begun more than that, so frames say what was due by
//! the schedule, and the last one says what is left of the iterations that were counted in the end.

use std::sync::{Arc, OnceLock};

use stampede_fleet::{Counts, CountsError, PromisedStarts};

use crate::metrics::custom_metric::MetricTally;
use crate::metrics::interval::Interval;
use crate::metrics::iteration_stats::IterationStats;
use crate::metrics::wire::{self, IntervalShape};

/// The shape of all intervals of a run, once it is known.
pub(super) type SharedShape = Arc<OnceLock<IntervalShape>>;

/// The users of a node that signed in or had no need to, and those that could not. They are known at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SignIns {
    pub(super) signed_in: u32,
    pub(super) gave_up: u32,
}

/// The counts of some seconds of a node.
#[derive(Clone, Debug)]
pub(super) struct FleetCounts {
    shape: SharedShape,
    starts: PromisedStarts,
    sign_ins: SignIns,
    interval: Option<Box<Interval>>,
}

impl FleetCounts {
    /// Returns no counts of a shape that may not be known yet.
    pub(super) const fn empty(shape: SharedShape) -> Self {
        let sign_ins = SignIns { signed_in: 0, gave_up: 0 };
        Self { shape, starts: PromisedStarts { fired: 0, dropped: 0 }, sign_ins, interval: None }
    }

    /// Returns these counts.
    pub(super) fn new(shape: SharedShape, starts: PromisedStarts, interval: Box<Interval>) -> Self {
        Self { shape, starts, sign_ins: SignIns::default(), interval: Some(interval) }
    }

    /// Adds what is known at the end of a node's load.
    pub(super) fn at_end(mut self, starts: PromisedStarts, sign_ins: SignIns) -> Self {
        (self.starts, self.sign_ins) = (starts, sign_ins);
        self
    }

    /// Returns the users that signed in and gave up.
    pub(super) const fn sign_ins(&self) -> SignIns {
        self.sign_ins
    }

    /// Returns `true` if there are counts of a second among them.
    pub(super) const fn has_interval(&self) -> bool {
        self.interval.is_some()
    }

    /// Returns the interval, an empty one if nothing was counted.
    pub(super) fn into_interval(self) -> Box<Interval> {
        let empty = || Box::new(self.shape.get().map_or_else(|| Interval::new(0), IntervalShape::empty_interval));
        self.interval.unwrap_or_else(empty)
    }
}

impl Counts for FleetCounts {
    fn add(&mut self, other: &Self) {
        self.starts.add(other.starts);
        self.sign_ins.signed_in = self.sign_ins.signed_in.saturating_add(other.sign_ins.signed_in);
        self.sign_ins.gave_up = self.sign_ins.gave_up.saturating_add(other.sign_ins.gave_up);
        match (&mut self.interval, &other.interval) {
            (_, None) => {}
            (into @ None, Some(_)) => into.clone_from(&other.interval),
            (Some(into), Some(more)) => add_interval(into, more),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let SignIns { signed_in, gave_up } = self.sign_ins;
        for number in [self.starts.fired, self.starts.dropped, signed_in.into(), gave_up.into()] {
            out.extend(number.to_le_bytes());
        }
        if let Some(interval) = &self.interval {
            wire::write(interval, out);
        }
    }

    fn read(&self, bytes: &[u8]) -> Result<Self, CountsError> {
        let wrong = |reason: String| CountsError(reason);
        let shape = self.shape.get().ok_or_else(|| wrong("the shape of counts is not known yet".into()))?;
        let mut rest = bytes;
        let mut number = |most: u64| {
            let (number, behind) =
                rest.split_first_chunk::<8>().ok_or_else(|| wrong("the counts end too early".into()))?;
            rest = behind;
            let number = u64::from_le_bytes(*number);
            if number <= most { Ok(number) } else { Err(wrong("the counts have an invalid number".into())) }
        };
        let starts = PromisedStarts { fired: number(MAX_STARTS)?, dropped: number(MAX_STARTS)? };
        let most = u32::MAX.into();
        let sign_ins = SignIns { signed_in: number(most)? as u32, gave_up: number(most)? as u32 };
        let mut interval = None;
        if !rest.is_empty() {
            let mut read = Box::new(shape.empty_interval());
            wire::read(rest, shape, &mut read).map_err(|error| wrong(error.to_string()))?;
            interval = Some(read);
        }
        Ok(Self { shape: Arc::clone(&self.shape), starts, sign_ins, interval })
    }

    fn is_empty(&self) -> bool {
        self.starts.due() == 0 && self.sign_ins == SignIns::default() && self.interval.is_none()
    }

    fn starts(&self) -> PromisedStarts {
        self.starts
    }

    fn difference(&self, sum: &Self) -> Option<String> {
        if self.starts != sum.starts {
            return Some(format!("promised starts: {:?} and {:?}", self.starts, sum.starts));
        }
        if self.sign_ins != sum.sign_ins {
            return Some("sign-ins".into());
        }
        let (own, sum) = (self.clone().into_interval(), sum.clone().into_interval());
        if let Some(row) = (0..own.rows.len().max(sum.rows.len())).find(|row| !are_equal_rows(*row, &own, &sum)) {
            return Some(format!("row {row}"));
        }
        let tallies = own.tallies.iter().zip(&sum.tallies);
        let scenarios = (0..own.iterations.len().max(sum.iterations.len()))
            .all(|index| iterations_of(&own, index) == iterations_of(&sum, index));
        [
            (own.start_delay == sum.start_delay, "start delays"),
            (own.warm_up == sum.warm_up, "warm-up"),
            (scenarios, "iterations"),
            (
                own.tallies.len() == sum.tallies.len()
                    && tallies.clone().all(|(one, other)| are_equal_tallies(one, other)),
                "metrics",
            ),
        ]
        .into_iter()
        .find_map(|(is_equal, what)| (!is_equal).then(|| what.to_owned()))
    }
}

/// The most promised starts that are read; sums of a thousand of them fit.
const MAX_STARTS: u64 = 1 << 50;

/// Adds a later interval of the same node.
fn add_interval(into: &mut Interval, more: &Interval) {
    for (row, more) in into.rows.iter_mut().zip(&more.rows) {
        row.add(more);
    }
    into.start_delay.add(&more.start_delay);
    into.users_active = more.users_active;
    into.examples.extend(more.examples.iter().cloned());
    into.exchanges.extend(more.exchanges.iter().cloned());
    into.health.add(&more.health);
    for (tally, more) in into.tallies.iter_mut().zip(&more.tallies) {
        tally.merge(more, true);
    }
    let scenarios = into.iterations.len().max(more.iterations.len());
    into.iterations.resize_with(scenarios, IterationStats::default);
    for (iterations, more) in into.iterations.iter_mut().zip(&more.iterations) {
        iterations.add(more);
    }
    into.warm_up += more.warm_up;
}

/// Compares a row bin by bin. The order of its statuses has no meaning.
fn are_equal_rows(row: usize, one: &Interval, other: &Interval) -> bool {
    let (Some(one), Some(other)) = (one.rows.get(row), other.rows.get(row)) else { return false };
    let (mut one, mut other) = (one.clone(), other.clone());
    one.statuses.sort_unstable();
    other.statuses.sort_unstable();
    one == other
}

fn iterations_of(interval: &Interval, index: usize) -> IterationStats<u32> {
    interval.iterations.get(index).cloned().unwrap_or_default()
}

/// Compares metrics. Sums of fractions depend on their order, so they are compared as far as they are exact.
fn are_equal_tallies(one: &MetricTally, other: &MetricTally) -> bool {
    let precision = 1e-9 * one.sum.abs().max(other.sum.abs()).max(1.0);
    let counts = |tally: &MetricTally| (tally.count, tally.hits, tally.range, tally.trend.clone());
    counts(one) == counts(other) && (one.sum - other.sum).abs() <= precision
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::custom_metric::MetricKind;

    fn shape() -> SharedShape {
        let shape = IntervalShape { rows: 2, metrics: vec![MetricKind::Counter], scenarios: 1, plugins: 0 };
        Arc::new(OnceLock::from(shape))
    }

    fn counts(ok: u64, fired: u64) -> FleetCounts {
        let shape = shape();
        let mut interval = Box::new(shape.get().expect("it is set").empty_interval());
        interval.rows[1].ok = ok;
        interval.rows[1].statuses = vec![(200, ok), (404, 1)];
        interval.start_delay.record(ok * 1_000_000);
        interval.tallies[0].add(0.1);
        interval.iterations = vec![IterationStats { completed: ok, ..IterationStats::default() }];
        FleetCounts::new(shape, PromisedStarts { fired, dropped: 1 }, interval)
    }

    #[test]
    fn sums_travel_and_are_compared_bin_by_bin() {
        let (mut cumulative, mut sum) = (FleetCounts::empty(shape()), FleetCounts::empty(shape()));
        assert!(cumulative.is_empty());
        for ok in 1..5 {
            cumulative.add(&counts(ok, 3));
            let mut bytes = Vec::new();
            counts(5 - ok, 3).write(&mut bytes);
            sum.add(&sum.read(&bytes).expect("it was written"));
        }
        assert_eq!((sum.starts().due(), cumulative.difference(&sum)), (16, None), "the order does not matter");
        sum.add(&counts(1, 0));
        assert!(cumulative.difference(&sum).is_some_and(|difference| difference.starts_with("promised starts")));
        let mut other = FleetCounts::empty(shape());
        (1..5).for_each(|_| other.add(&counts(1, 3)));
        assert_eq!(cumulative.difference(&other), Some("row 1".into()));
    }

    #[test]
    fn counts_without_an_interval_are_read() {
        let mut bytes = Vec::new();
        FleetCounts::empty(shape()).write(&mut bytes);
        assert!(FleetCounts::empty(shape()).read(&bytes).is_ok_and(|counts| counts.is_empty()));
        assert!(FleetCounts::empty(shape()).read(&bytes[1..]).is_err());
        assert!(FleetCounts::empty(Arc::default()).read(&bytes).is_err(), "the shape is not known");
        assert!(FleetCounts::empty(shape()).read(&[0xff; 32]).is_err(), "too many");
    }
}
