//! The schedule of one stream of bytes over a user's link: the reply of an exchange, or what a socket receives. A piece
//! is taken from the connection and put on the link; the next one is taken when the link's rate has let it pass, and it
//! is handed on a round trip after that. So the size of a piece need not be known before it is there, the end is exact,
//! and a site is read as slowly as the link is.

use stampede_time::Nanos;

use super::Link;

/// The most time that is caught up with after a piece was noticed late, unless a round trip takes longer: what the
/// receive buffer of a fast link holds.
const MAX_CATCH_UP: Nanos = 100_000_000;

/// The schedule of one stream of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassageSchedule {
    /// The time at which the link's rate has let the piece taken last pass.
    free_at: Nanos,
    /// True if the next piece was not there at that time.
    has_waited: bool,
    /// The time before which nothing can have come.
    not_before: Nanos,
}

impl PassageSchedule {
    /// Returns the schedule of a stream of which nothing has arrived.
    pub(crate) const fn new() -> Self {
        Self { free_at: 0, has_waited: true, not_before: 0 }
    }

    /// Returns the time from which the next piece may be taken.
    pub(crate) const fn free_at(&self) -> Nanos {
        self.free_at
    }

    /// Notes that there is nothing to take from the connection yet, or that its reader has no room for it.
    pub(crate) const fn note_wait(&mut self) {
        self.has_waited = true;
    }

    /// Notes that the user has sent something, which the next piece may answer.
    pub(crate) const fn note_sent(&mut self, now: Nanos) {
        self.not_before = now;
    }

    /// Puts bytes on the link that were taken from the connection at `now`. Returns when they have arrived, which is
    /// not before now. What was there when it could be taken follows the piece before it at once, even if this was
    /// noticed a little late: so lateness does not add up.
    pub(crate) fn put(&mut self, link: &Link, now: Nanos, bytes: u64) -> Nanos {
        let rtt = link.round_trips(1);
        let available = match self.has_waited {
            true => now,
            false => now.saturating_sub(MAX_CATCH_UP.max(rtt)).max(self.free_at).max(self.not_before),
        };
        self.free_at = link.put(available, bytes);
        self.has_waited = false;
        self.free_at.saturating_add(rtt).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LinkProfile, LinkSpeed};
    use super::*;

    const MS: Nanos = 1_000_000;

    /// A link over which 1,000 bytes pass in a millisecond.
    fn link(rtt: Nanos) -> Link {
        let link = Link::new(LinkProfile { speed: LinkSpeed::Constant(8_000_000), rtt: rtt * MS });
        link.begin(0);
        link
    }

    /// Puts a piece of 10 ms on the link. Returns when it has arrived, in milliseconds.
    fn put(schedule: &mut PassageSchedule, link: &Link, now: Nanos) -> Nanos {
        schedule.put(link, now * MS, 10_000) / MS
    }

    #[test]
    fn a_piece_follows_the_one_before_it_unless_it_was_not_there() {
        let (link, mut reply) = (link(40), PassageSchedule::new());
        assert_eq!((put(&mut reply, &link, 5), reply.free_at()), (55, 15 * MS), "a round trip later");
        assert_eq!((put(&mut reply, &link, 18), reply.free_at()), (65, 25 * MS), "3 ms late, which does not add up");
        reply.note_wait();
        assert_eq!((put(&mut reply, &link, 30), reply.free_at()), (80, 40 * MS), "it was not there before");
        reply.note_sent(500 * MS);
        assert_eq!(put(&mut reply, &link, 511), 550, "an answer that was there at once");
    }

    #[test]
    fn a_late_piece_does_not_arrive_before_it_was_taken_and_catches_up_a_little() {
        let (link, mut reply) = (link(0), PassageSchedule::new());
        assert_eq!(put(&mut reply, &link, 0), 10);
        for (scheduled, arrives) in [(20, 60), (30, 60), (40, 60), (50, 60), (60, 60), (70, 70)] {
            assert_eq!((put(&mut reply, &link, 60), reply.free_at()), (arrives, scheduled * MS));
        }
        assert_eq!((put(&mut reply, &link, 1_000), reply.free_at()), (1_000, 910 * MS), "from 900 on");
    }

    #[test]
    fn streams_take_turns_on_the_link_and_their_round_trips_overlap() {
        let (link, mut one, mut other) = (link(40), PassageSchedule::new(), PassageSchedule::new());
        assert_eq!([put(&mut one, &link, 0), put(&mut other, &link, 0)], [50, 60]);
        assert_eq!([put(&mut one, &link, 10), put(&mut other, &link, 20)], [70, 80]);
    }
}
