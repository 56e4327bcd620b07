//! The rate of a link over time, as a pure function: the time at which bytes have passed.

use std::sync::Arc;

use stampede_time::{Nanos, SECOND};

/// The rate of a link. Times count from the user's first request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkSpeed {
    /// Bits per second at all times, at least one.
    Constant(u64),
    /// A rate that changes over time.
    Trace(Arc<LinkTrace>),
}

impl LinkSpeed {
    /// Returns when `bytes` that begin to pass at `begin`, one after the other, have all passed. Rounded up to whole
    /// nanoseconds, so that a link is never faster than its rate.
    pub fn passed_at(&self, begin: Nanos, bytes: u64) -> Nanos {
        match self {
            Self::Constant(rate) => begin.saturating_add(transmission(bit_nanos(bytes), *rate)),
            Self::Trace(trace) => trace.passed_at(begin, bytes),
        }
    }

    /// Returns the bits per second at a time.
    pub fn rate_at(&self, at: Nanos) -> u64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Trace(trace) => trace.intervals[trace.interval_at(at % trace.length)].rate,
        }
    }

    /// Returns the highest rate that it ever has, in bits per second.
    pub fn highest(&self) -> u64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Trace(trace) => trace.intervals.iter().map(|interval| interval.rate).max().unwrap_or(0),
        }
    }
}

/// Rates over time, again and again from the beginning.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkTrace {
    /// In the order of time, the first from 0 on. At least one rate is not 0.
    intervals: Box<[TraceInterval]>,
    length: Nanos,
    /// The work done in one pass: bits per second times nanoseconds.
    work: u128,
}

/// A time during which a trace has one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceInterval {
    /// Its beginning, counted from that of the trace.
    pub from: Nanos,
    /// Bits per second.
    pub rate: u64,
}

impl LinkTrace {
    /// Returns a trace of these intervals, the last of which ends at `length`. `None` unless they begin at 0, each
    /// later than the one before it, and some bits pass.
    pub fn new(intervals: Vec<TraceInterval>, length: Nanos) -> Option<Self> {
        let begins_at_zero = intervals.first().is_some_and(|first| first.from == 0);
        let is_ascending = intervals.windows(2).all(|pair| pair[0].from < pair[1].from);
        let ends_last = intervals.last().is_some_and(|last| last.from < length);
        let mut trace = Self { intervals: intervals.into(), length, work: 0 };
        trace.work = (0..trace.intervals.len()).map(|index| trace.work_of(index, trace.intervals[index].from)).sum();
        (begins_at_zero && is_ascending && ends_last && trace.work > 0).then_some(trace)
    }

    /// Returns the time of one pass.
    pub const fn length(&self) -> Nanos {
        self.length
    }

    /// Returns the mean of the rates over one pass, in bits per second.
    pub fn mean(&self) -> u64 {
        (self.work / u128::from(self.length)) as u64
    }

    fn passed_at(&self, begin: Nanos, bytes: u64) -> Nanos {
        let mut left = bit_nanos(bytes);
        let mut position = begin % self.length;
        let mut pass = begin - position;
        // The work of whole passes, without which the walk below ends within two of them.
        let passes = left.saturating_sub(1) / self.work;
        left -= passes * self.work;
        pass = pass.saturating_add(u64::try_from(passes * u128::from(self.length)).unwrap_or(u64::MAX));
        let mut index = self.interval_at(position);
        loop {
            let work = self.work_of(index, position);
            if left <= work {
                let rate = self.intervals[index].rate;
                let took = if left == 0 { 0 } else { transmission(left, rate) };
                return pass.saturating_add(position).saturating_add(took);
            }
            left -= work;
            index += 1;
            if index == self.intervals.len() {
                index = 0;
                pass = pass.saturating_add(self.length);
            }
            position = self.intervals[index].from;
        }
    }

    /// Returns the interval that holds a position.
    fn interval_at(&self, position: Nanos) -> usize {
        self.intervals.partition_point(|interval| interval.from <= position).saturating_sub(1)
    }

    /// Returns the work done in an interval from a position in it on.
    fn work_of(&self, index: usize, position: Nanos) -> u128 {
        let end = self.intervals.get(index + 1).map_or(self.length, |next| next.from);
        u128::from(self.intervals[index].rate) * u128::from(end.saturating_sub(position))
    }
}

/// Returns the work of bytes: bits per second times nanoseconds.
fn bit_nanos(bytes: u64) -> u128 {
    u128::from(bytes) * 8 * u128::from(SECOND)
}

/// Returns the time of some work at a rate, rounded up.
fn transmission(work: u128, rate: u64) -> Nanos {
    u64::try_from(work.div_ceil(u128::from(rate.max(1)))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trace(intervals: &[(u64, u64)], seconds: u64) -> LinkSpeed {
        let intervals = intervals.iter().map(|(from, rate)| TraceInterval { from: from * SECOND, rate: *rate });
        LinkSpeed::Trace(Arc::new(LinkTrace::new(intervals.collect(), seconds * SECOND).unwrap()))
    }

    #[test]
    fn bytes_take_the_time_that_the_rate_gives_them() {
        let steps = trace(&[(0, 8_000), (10, 0), (12, 16_000)], 20);
        for (case, speed, begin, bytes, expected) in [
            ("one byte at 8 bit/s", LinkSpeed::Constant(8), 0, 1, SECOND),
            ("a part of a nanosecond counts whole", LinkSpeed::Constant(3_000_000_000), 5, 1, 5 + 3),
            ("nothing takes no time", LinkSpeed::Constant(8), 7, 0, 7),
            ("within an interval", steps.clone(), 2 * SECOND, 3_000, 5 * SECOND),
            ("to its very end", steps.clone(), 0, 10_000, 10 * SECOND),
            ("over a time without a network", steps.clone(), 9 * SECOND, 3_000, 13 * SECOND),
            ("from within such a time", steps.clone(), 11 * SECOND, 2_000, 13 * SECOND),
            ("into the next pass", steps.clone(), 19 * SECOND, 3_000, 21 * SECOND),
            ("over whole passes: 26,000 bytes each", steps.clone(), 0, 3 * 26_000 + 1_000, 61 * SECOND),
            ("whole passes to their end", steps.clone(), 0, 2 * 26_000, 40 * SECOND),
            ("in a later pass", steps.clone(), 45 * SECOND, 1_000, 46 * SECOND),
            ("nothing in a trace", steps, 11 * SECOND, 0, 11 * SECOND),
        ] {
            assert_eq!(speed.passed_at(begin, bytes), expected, "{case}");
        }
    }

    #[test]
    fn a_trace_has_a_rate_at_each_time() {
        let steps = trace(&[(0, 8_000), (10, 0), (12, 16_000)], 20);
        let rates = [0, 9, 10, 12, 19, 20, 31].map(|second| steps.rate_at(second * SECOND));
        assert_eq!(rates, [8_000, 8_000, 0, 16_000, 16_000, 8_000, 0]);
        let LinkSpeed::Trace(inner) = &steps else { unreachable!() };
        assert_eq!((steps.highest(), inner.mean(), inner.length()), (16_000, 10_400, 20 * SECOND));
    }

    #[test]
    fn what_is_not_a_trace_is_rejected() {
        let interval = |from, rate| TraceInterval { from, rate };
        for (case, intervals, length) in [
            ("no interval", vec![], 1),
            ("a later beginning", vec![interval(1, 1)], 2),
            ("one time twice", vec![interval(0, 1), interval(0, 2)], 2),
            ("no end", vec![interval(0, 1), interval(2, 2)], 2),
            ("no bit ever passes", vec![interval(0, 0), interval(1, 0)], 2),
        ] {
            assert_eq!(LinkTrace::new(intervals, length), None, "{case}");
        }
    }

    proptest! {
        /// Bytes in pieces take as long as the same bytes at once, but for the rounding of each piece, and a piece
        /// never more time than the rates give it.
        #[test]
        fn pieces_take_as_long_as_the_whole(
            rates in proptest::collection::vec(prop_oneof![Just(0), 1_000_u64..20_000_000], 1..8),
            pieces in proptest::collection::vec(0_u64..70_000, 1..40),
            begin in 0..100 * SECOND,
        ) {
            let interval = |(index, rate): (usize, &u64)| TraceInterval { from: index as u64 * SECOND / 3, rate: *rate };
            let length = rates.len() as u64 * SECOND / 3;
            let Some(trace) = LinkTrace::new(rates.iter().enumerate().map(interval).collect(), length) else {
                return Ok(());
            };
            let speed = LinkSpeed::Trace(Arc::new(trace));
            let whole = speed.passed_at(begin, pieces.iter().sum());
            let piecewise = pieces.iter().fold(begin, |at, bytes| speed.passed_at(at, *bytes));
            prop_assert!(piecewise >= whole);
            // A nanosecond lost at a high rate may cost more at a low one.
            let slowest = rates.iter().filter(|rate| **rate > 0).min().copied().unwrap_or(1).max(1);
            let most = pieces.len() as u64 * (1 + rates.iter().max().copied().unwrap_or(1) / slowest);
            let outage = if rates.contains(&0) { length } else { 0 };
            prop_assert!(piecewise <= whole + most + outage, "{piecewise} {whole}");
        }
    }
}
