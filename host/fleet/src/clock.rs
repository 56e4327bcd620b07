//! The clock of a node relative to that of the coordinator. A node asks 16 times for the coordinator's time and keeps
//! the answer with the shortest round trip: the two clocks were read at most half of it apart. Until the load begins,
//! the newest round counts; after that nothing is corrected any more, and the drift is reported.

use std::collections::VecDeque;

use crate::time::{MILLISECOND, SECOND, Time};

/// The answers of a first round.
const FIRST_ROUND: u32 = 16;

/// The answers of a later round.
const LATER_ROUND: u32 = 4;

/// The time between two rounds.
const ROUND_EVERY: Time = 30 * SECOND;

/// The time between two probes, and between those that follow on lost ones.
const PROBE_EVERY: Time = 20 * MILLISECOND;
const LATE_PROBE_EVERY: Time = 250 * MILLISECOND;

/// The probes whose answers are awaited.
const MAX_AWAITED: usize = 32;

/// A measured difference between two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The node's clock minus the coordinator's, in nanoseconds.
    pub offset: i64,
    /// The greatest error of that.
    pub bound: Time,
}

impl ClockReading {
    /// Returns the reading that follows from one probe: it was sent and answered at instants of the node's clock, and
    /// in between the coordinator's clock showed `remote`.
    pub fn of_probe(sent: Time, answered: Time, remote: Time) -> Self {
        let trip = answered.saturating_sub(sent);
        let middle = sent.saturating_add(trip / 2);
        Self { offset: signed(middle).saturating_sub(signed(remote)), bound: trip.div_ceil(2) }
    }

    /// Returns an instant of the coordinator's clock on the node's.
    pub fn local(&self, remote: Time) -> Time {
        u64::try_from(signed(remote).saturating_add(self.offset)).unwrap_or(0)
    }
}

fn signed(time: Time) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// The measurements of a node.
#[derive(Clone, Debug, Default)]
pub struct NodeClock {
    /// The term of the coordinator whose clock is measured.
    term: u64,
    round: Option<ProbeRound>,
    next_round: Time,
    next_number: u32,
    reading: Option<ClockReading>,
    is_fixed: bool,
    drift: i64,
}

/// Probes that are under way.
#[derive(Clone, Debug)]
struct ProbeRound {
    wanted: u32,
    answered: u32,
    sent: u32,
    awaited: VecDeque<SentProbe>,
    best: Option<ClockReading>,
    next: Time,
}

#[derive(Clone, Copy, Debug)]
struct SentProbe {
    number: u32,
    at: Time,
}

impl NodeClock {
    /// Measures the clock of the coordinator with this term, from now on if it is another one.
    pub fn follow(&mut self, term: u64, now: Time) {
        if term != self.term {
            *self = Self { term, next_number: self.next_number, ..Self::default() };
            self.begin(FIRST_ROUND, now);
        }
    }

    fn begin(&mut self, wanted: u32, now: Time) {
        let awaited = VecDeque::new();
        self.round = Some(ProbeRound { wanted, answered: 0, sent: 0, awaited, best: None, next: now });
    }

    /// Returns the number of a probe to send now. Called until it returns `None`.
    pub fn probe(&mut self, now: Time) -> Option<u32> {
        if self.round.is_none() && self.reading.is_some() && self.next_round <= now {
            self.begin(LATER_ROUND, now);
        }
        let round = self.round.as_mut().filter(|round| round.next <= now)?;
        let number = self.next_number;
        self.next_number = self.next_number.wrapping_add(1);
        round.sent = round.sent.saturating_add(1);
        round.next = now + if round.sent < round.wanted { PROBE_EVERY } else { LATE_PROBE_EVERY };
        round.awaited.push_back(SentProbe { number, at: now });
        if round.awaited.len() > MAX_AWAITED {
            round.awaited.pop_front();
        }
        Some(number)
    }

    /// Takes the answer to a probe.
    pub fn answer(&mut self, number: u32, remote: Time, now: Time) {
        let Some(round) = &mut self.round else { return };
        let Some(place) = round.awaited.iter().position(|probe| probe.number == number) else { return };
        let Some(probe) = round.awaited.remove(place) else { return };
        let reading = ClockReading::of_probe(probe.at, now, remote);
        if round.best.is_none_or(|best| reading.bound < best.bound) {
            round.best = Some(reading);
        }
        round.answered += 1;
        if round.answered >= round.wanted {
            let best = round.best;
            self.round = None;
            self.next_round = now + ROUND_EVERY;
            match (self.reading, best) {
                (Some(fixed), Some(best)) if self.is_fixed => self.drift = best.offset.saturating_sub(fixed.offset),
                _ => self.reading = best,
            }
        }
    }

    /// Keeps the reading as it is: the load begins.
    pub fn fix(&mut self) {
        self.is_fixed = true;
    }

    /// Returns the reading, once a round was answered.
    pub fn reading(&self) -> Option<ClockReading> {
        self.reading
    }

    /// Returns the nanoseconds by which the node's clock has run ahead of the coordinator's since the load began.
    pub fn drift(&self) -> i64 {
        self.drift
    }

    /// Returns the instant of the next probe.
    pub fn next_due(&self) -> Option<Time> {
        match &self.round {
            Some(round) => Some(round.next),
            None => self.reading.map(|_| self.next_round),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers all probes of a round. The coordinator's clock is behind by `offset`, and the trips take these times.
    fn round(clock: &mut NodeClock, mut now: Time, offset: Time, trips: &[(Time, Time)]) -> Time {
        for (there, back) in trips.iter().cycle() {
            let Some(number) = clock.probe(now) else { break };
            clock.answer(number, now + there - offset, now + there + back);
            now = clock.next_due().unwrap_or(now).max(now + there + back);
            if clock.round.is_none() {
                break;
            }
        }
        now
    }

    #[test]
    fn the_shortest_of_sixteen_trips_counts() {
        let mut clock = NodeClock::default();
        clock.follow(1, 10 * SECOND);
        let trips = [(9_000, 1_000), (400, 600), (700_000, 5)];
        round(&mut clock, 10 * SECOND, 2 * SECOND, &trips);
        let reading = clock.reading().expect("it is measured");
        assert_eq!(reading, ClockReading { offset: 2_000_000_100, bound: 500 });
        assert!(reading.offset.abs_diff(2 * SECOND as i64) <= reading.bound);
        assert_eq!(reading.local(5), 2_000_000_105);
        assert_eq!(clock.next_number, 16);
    }

    #[test]
    fn lost_probes_are_made_up_for() {
        let mut clock = NodeClock::default();
        clock.follow(1, 0);
        let (mut now, mut answered) = (0, 0);
        while clock.reading().is_none() {
            let number = clock.probe(now).expect("it is due");
            if number % 3 == 0 {
                clock.answer(number, now, now + 100);
                answered += 1;
            }
            now = clock.next_due().expect("it goes on");
        }
        assert_eq!((answered, clock.next_number), (16, 46));
    }

    #[test]
    fn after_the_start_a_drift_is_reported_and_nothing_corrected() {
        let mut clock = NodeClock::default();
        clock.follow(1, SECOND);
        round(&mut clock, SECOND, 1_000, &[(10, 10)]);
        let next = clock.next_due().expect("there is another round");
        assert!(next >= 31 * SECOND);
        round(&mut clock, next, 5_000, &[(10, 10)]);
        assert_eq!((clock.reading().map(|it| it.offset), clock.drift()), (Some(5_000), 0), "before the start");
        clock.fix();
        let next = clock.next_due().expect("there is another round");
        round(&mut clock, next, 9_000, &[(10, 10)]);
        assert_eq!((clock.reading().map(|it| it.offset), clock.drift()), (Some(5_000), 4_000));
    }

    #[test]
    fn another_coordinator_is_measured_anew() {
        let mut clock = NodeClock::default();
        clock.follow(1, 0);
        let number = clock.probe(0).expect("it is due");
        clock.follow(2, 5);
        clock.answer(number, 0, 10);
        assert!(clock.reading().is_none() && clock.round.as_ref().is_some_and(|round| round.answered == 0));
    }
}
