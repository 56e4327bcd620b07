//! A network in virtual time: one rate for all transfers of a viewer, shared equally, and a round trip for each
//! request. All arithmetic is in integers, so that a test can assert instants.

use std::ops::Range;

use viewer_core::{Micros, SECOND};

/// A link whose rate changes at instants.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    /// Instants and the bits per second from then on; the first is at 0.
    pub(crate) rates: Vec<Rate>,
    /// The time from a request to the first byte of its reply.
    pub(crate) round_trip: Micros,
}

/// A rate from an instant on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) from: Micros,
    pub(crate) bits_per_second: u64,
}

/// A transfer of content.
#[derive(Debug)]
pub(crate) struct Flow {
    /// The instant at which its first byte can come.
    pub(crate) begins: Micros,
    /// Millionths of bits that are missing.
    missing: u128,
    total: u128,
    /// The instants between which its content is made.
    made: Option<Range<Micros>>,
}

impl Network {
    /// Returns a network with one rate, in kilobits per second, and no round trip.
    pub(crate) fn constant(kilobits: u64) -> Self {
        Self::steps(&[(0, kilobits)])
    }

    /// Returns a network whose rates, in kilobits per second, begin at seconds.
    pub(crate) fn steps(steps: &[(Micros, u64)]) -> Self {
        let rate = |(from, kilobits): &(Micros, u64)| Rate { from: from * SECOND, bits_per_second: kilobits * 1000 };
        Self { rates: steps.iter().map(rate).collect(), round_trip: 0 }
    }

    pub(crate) fn round_trip(self, round_trip: Micros) -> Self {
        Self { round_trip, ..self }
    }

    fn rate(&self, at: Micros) -> u64 {
        self.rates.iter().rev().find(|rate| rate.from <= at).map_or(0, |rate| rate.bits_per_second)
    }

    /// Returns the instant after `now` at which the rate changes next.
    fn change(&self, now: Micros) -> Option<Micros> {
        self.rates.iter().map(|rate| rate.from).find(|from| *from > now)
    }

    /// Moves transfers on from one instant to another, at which none has ended before.
    pub(crate) fn pass<'a>(&self, flows: impl Iterator<Item = &'a mut Flow>, from: Micros, to: Micros) {
        let mut active: Vec<_> = flows.filter(|flow| flow.begins <= from && flow.missing > 0).collect();
        let share = u128::from(self.rate(from)) * (to - from).unsigned_abs() as u128 / active.len().max(1) as u128;
        for flow in &mut active {
            flow.missing = flow.missing.saturating_sub(share).max(flow.not_made(to));
        }
    }

    /// Returns the first instant at which a transfer begins or ends, or the rate changes.
    pub(crate) fn next<'a>(&self, flows: impl Iterator<Item = &'a Flow>, now: Micros) -> Option<Micros> {
        let flows: Vec<_> = flows.collect();
        let active: Vec<_> = flows.iter().filter(|flow| flow.begins <= now).collect();
        let rate = u128::from(self.rate(now));
        let end = |flow: &Flow| {
            let wait = (flow.missing * active.len() as u128).div_ceil(rate.max(1));
            let end = now.saturating_add(Micros::try_from(wait).unwrap_or(Micros::MAX));
            let made = flow.made.as_ref().map_or(Micros::MIN, |made| made.end);
            (rate > 0 || flow.missing == 0).then(|| end.max(made))
        };
        let ends = active.iter().filter_map(|flow| end(flow));
        let begins = flows.iter().map(|flow| flow.begins).filter(|begins| *begins > now);
        ends.chain(begins).chain(self.change(now)).min()
    }
}

impl Flow {
    pub(crate) fn new(begins: Micros, bytes: u64, made: Option<Range<Micros>>) -> Self {
        let missing = u128::from(bytes) * 8 * 1_000_000;
        Self { begins, missing, total: missing, made }
    }

    /// Returns what is not made yet at an instant.
    fn not_made(&self, now: Micros) -> u128 {
        let Some(made) = &self.made else { return 0 };
        let rest = (made.end - now).clamp(0, made.end - made.start).unsigned_abs();
        self.total * u128::from(rest) / u128::from((made.end - made.start).unsigned_abs())
    }

    pub(crate) fn is_done(&self, now: Micros) -> bool {
        self.begins <= now && self.missing == 0
    }

    /// Returns the bytes that came.
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from((self.total - self.missing) / 8_000_000).unwrap()
    }
}
