//! The link of one user: a rate and a round-trip time between it and the sites, as a person with a phone has them.
//!
//! The connections of a load generator are much faster than those of the people whom it stands in for. So what a site
//! has sent is handed on when it would have come over the link. Everything of one user passes over one link, one piece
//! after the other, and an exchange takes the next piece from its connection only when the last one has passed: what
//! passes in parallel shares the link piece by piece, and a site is read as slowly as the link is.
//!
//! | file | contents |
//! |---|---|
//! | `speed` | the rate over time: when bytes have passed |
//! | `schedule` | the schedule of one stream of bytes on a link |
//! | `choice` | the links of a scenario, and the draw of a user's |
//!
//! Nothing here waits or reads the clock; `http::passage` does the first with times that it reads.

mod choice;
mod schedule;
mod speed;

use std::cell::Cell;

use stampede_time::Nanos;

pub(crate) use choice::{LinkChoice, LinkProfile, WeightedLink};
pub(crate) use schedule::PassageSchedule;
pub(crate) use speed::{LinkSpeed, LinkTrace, TraceInterval};

/// The smallest piece that an exchange alone on the link takes, in bytes.
const MIN_QUANTUM: u64 = 16 * 1024;
/// The time that a piece takes at rates that make it larger.
const QUANTUM_TIME: Nanos = 20_000_000;
/// The smallest piece of one of several exchanges, in bytes.
const MIN_PIECE: u64 = 4 * 1024;
/// The smallest receive buffer, in bytes.
const MIN_BUFFER: u64 = 32 * 1024;
/// The time for which the receive buffer of a fast link lasts. It must not make the link slower than its rate: the site
/// may be this far away.
const BUFFER_TIME: Nanos = 100_000_000;

/// The link of one user, and what passes over it.
#[derive(Debug)]
pub(crate) struct Link {
    profile: LinkProfile,
    /// The time of the user's first request, from which a trace counts.
    origin: Cell<Option<Nanos>>,
    /// The time at which all that has been put on the link has passed.
    free_at: Cell<Nanos>,
    /// The number of exchanges whose content passes.
    active: Cell<u32>,
}

/// Counts an exchange as active on its user's link until it is dropped.
#[derive(Debug)]
pub(crate) struct ActiveOnLink<'a>(&'a Link);

impl Link {
    /// Returns a link on which nothing has passed.
    pub(crate) const fn new(profile: LinkProfile) -> Self {
        Self { profile, origin: Cell::new(None), free_at: Cell::new(0), active: Cell::new(0) }
    }

    /// Notes that the user sends a request now.
    pub(crate) fn begin(&self, now: Nanos) {
        if self.origin.get().is_none() {
            self.origin.set(Some(now));
        }
    }

    /// Returns the time of a number of round trips.
    pub(crate) const fn round_trips(&self, trips: u32) -> Nanos {
        self.profile.rtt.saturating_mul(trips as u64)
    }

    /// Counts an exchange as active.
    pub(crate) fn activate(&self) -> ActiveOnLink<'_> {
        self.active.set(self.active.get() + 1);
        ActiveOnLink(self)
    }

    /// Puts bytes on the link that are there from `available` on. Returns when they have passed: after all that was put
    /// on it before.
    pub(crate) fn put(&self, available: Nanos, bytes: u64) -> Nanos {
        if bytes == 0 {
            return available;
        }
        let begin = self.free_at.get().max(available);
        let origin = self.origin.get().unwrap_or(0);
        let passed = self.profile.speed.passed_at(begin.saturating_sub(origin), bytes).saturating_add(origin);
        self.free_at.set(passed);
        passed
    }

    /// Returns how many bytes one of the active exchanges may take from its connection at once: as many as pass within
    /// 20 ms, at least 16 KiB, divided by the active exchanges.
    pub(crate) fn piece(&self, now: Nanos) -> usize {
        let rate = self.profile.speed.rate_at(now.saturating_sub(self.origin.get().unwrap_or(now)));
        let quantum = bytes_within(rate, QUANTUM_TIME).max(MIN_QUANTUM);
        (quantum / u64::from(self.active.get().max(1))).max(MIN_PIECE) as usize
    }

    /// Returns the size of the receive buffer of a connection, in bytes: enough for the link's highest rate, and little
    /// enough that a site notices the link.
    pub(crate) fn receive_buffer(&self) -> u32 {
        let buffer = bytes_within(self.profile.speed.highest(), BUFFER_TIME).max(MIN_BUFFER);
        u32::try_from(buffer).unwrap_or(u32::MAX)
    }
}

impl Drop for ActiveOnLink<'_> {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get() - 1);
    }
}

/// Returns the bytes that pass within a time.
fn bytes_within(rate: u64, time: Nanos) -> u64 {
    (u128::from(rate) * u128::from(time) / 8_000_000_000) as u64
}

#[cfg(test)]
mod tests {
    use stampede_time::SECOND;

    use super::*;

    fn link(rate: u64) -> Link {
        let link = Link::new(LinkProfile { speed: LinkSpeed::Constant(rate), rtt: 40_000_000 });
        link.begin(0);
        link
    }

    /// Simulates exchanges that each have `bytes` left and take the next piece as soon as the last one has passed.
    /// Returns when each has all its bytes.
    fn ends(link: &Link, bytes: &[u64]) -> Vec<Nanos> {
        let guards: Vec<_> = bytes.iter().map(|_| link.activate()).collect();
        let mut left: Vec<_> = bytes.iter().map(|bytes| (0, *bytes)).collect();
        let mut guards: Vec<_> = guards.into_iter().map(Some).collect();
        while let Some(index) = (0..left.len()).filter(|index| left[*index].1 > 0).min_by_key(|index| left[*index].0) {
            let (at, bytes) = left[index];
            let piece = (link.piece(at) as u64).min(bytes);
            left[index] = (link.put(at, piece), bytes - piece);
            if bytes == piece {
                guards[index] = None;
            }
        }
        left.into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn one_exchange_has_the_whole_rate() {
        let link = link(8_000_000);
        assert_eq!(ends(&link, &[10_000_000]), [10 * SECOND]);
        assert_eq!(link.put(20 * SECOND, 1_000_000), 21 * SECOND, "time without traffic is not saved up");
    }

    #[test]
    fn exchanges_share_the_link_equally_and_lose_nothing() {
        let (both, three) = (ends(&link(8_000_000), &[1_000_000, 1_000_000]), ends(&link(8_000_000), &[500_000; 3]));
        assert_eq!(both.iter().max(), Some(&(2 * SECOND)));
        assert!(both[0].abs_diff(both[1]) <= 20_000_000, "{both:?}");
        assert_eq!(three.iter().max(), Some(&(SECOND + SECOND / 2)));
        assert!(three[0].abs_diff(three[2]) <= 40_000_000, "{three:?}");
    }

    #[test]
    fn a_short_exchange_does_not_wait_for_a_long_one() {
        let ends = ends(&link(8_000_000), &[10_000_000, 100_000]);
        assert!(ends[1].abs_diff(SECOND / 5) <= 20_000_000, "half of the rate: {ends:?}");
        assert_eq!(ends[0], 10 * SECOND + SECOND / 10);
    }

    #[test]
    fn pieces_last_twenty_milliseconds_or_are_of_sixteen_kilobytes() {
        let slow = link(400_000);
        assert_eq!(slow.piece(0), 16 * 1024);
        let fast = link(80_000_000);
        assert_eq!(fast.piece(0), 200_000);
        let guards = [fast.activate(), fast.activate()];
        assert_eq!(fast.piece(0), 100_000);
        drop(guards);
        assert_eq!(fast.piece(0), 200_000);
        let many: Vec<_> = (0..64).map(|_| slow.activate()).collect();
        assert_eq!((slow.piece(0), many.len()), (4 * 1024, 64));
    }

    #[test]
    fn a_trace_begins_with_the_first_request() {
        let intervals = [(0, 8_000), (10 * SECOND, 80_000)].map(|(from, rate)| TraceInterval { from, rate });
        let trace = LinkTrace::new(intervals.to_vec(), 20 * SECOND).unwrap();
        let link = Link::new(LinkProfile { speed: LinkSpeed::Trace(trace.into()), rtt: 0 });
        link.begin(100 * SECOND);
        link.begin(105 * SECOND);
        assert_eq!(link.put(100 * SECOND, 5_000), 105 * SECOND);
        assert_eq!(link.put(110 * SECOND, 10_000), 111 * SECOND);
    }

    #[test]
    fn buffers_last_for_a_distant_site_and_are_small_for_a_slow_link() {
        assert_eq!(
            [1_000, 2_000_000, 100_000_000].map(|rate| link(rate).receive_buffer()),
            [32_768, 32_768, 1_250_000]
        );
        assert_eq!(link(1_000_000).round_trips(3), 120_000_000);
    }
}
