//! Misbehaviour on demand: the options of a stream that does not do what it should, as sites do that viewers meet.

use super::micros::{Micros, parse_duration};

/// The misbehaviour of a stream. Numbers of segments are 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Time after the start of the site at which the next three happen.
    after: Micros,
    /// The encoder stops: manifests do not change any more.
    frozen: bool,
    /// The encoder begins again, with the first segment.
    restart: bool,
    /// The stream skips that time: the window passes the viewers.
    jump: Micros,
    /// The last of this number of segments is a gap.
    gap: u64,
    /// The last of this number of segments is missing, although listed.
    missing: u64,
    /// The last of this number of segments is empty.
    empty: u64,
    /// The last of this number of segments ends after its half.
    cut: u64,
    /// Distance between the numbers of segments of two qualities.
    pub skew: u64,
    /// Time after which a segment that is listed can be requested.
    pub late: Micros,
    /// Everything but the first playlist or manifest needs its token, for that time.
    pub token: Option<Micros>,
    /// Playlists take the token from their own URI by a variable.
    pub define: bool,
    /// Segments need the cookies of the first playlist or manifest.
    pub cookies: bool,
    /// Status with which the first playlist or manifest leads to another place; 0 for none.
    pub redirect: u16,
    /// Requests for a part of a file are answered with all of it.
    pub ranges_ignored: bool,
    /// Playlists do not wait for what a request asks for.
    pub unblocked: bool,
}

/// The misbehaviour of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentFault {
    /// There is none with that number.
    Missing,
    /// It has no bytes.
    Empty,
    /// It ends after its half.
    Cut,
}

/// The clock of a stream that may have been disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamClock {
    /// Wall-clock time at which the stream began.
    pub start: Micros,
    /// Wall-clock time up to which there is content.
    pub wall: Micros,
    /// The stream goes on no more.
    pub is_frozen: bool,
}

impl Faults {
    /// Sets an option; `None` if there is no such option, or it does not take the value.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match (key, value) {
            ("after", _) => self.after = parse_duration(value)?,
            ("frozen", "") => self.frozen = true,
            ("restart", "") => self.restart = true,
            ("jump", _) => self.jump = parse_duration(value)?,
            ("gap", _) => self.gap = every(value)?,
            ("missing", _) => self.missing = every(value)?,
            ("empty", _) => self.empty = every(value)?,
            ("cut", _) => self.cut = every(value)?,
            ("skew", _) => self.skew = value.parse::<u32>().ok()?.into(),
            ("late", _) => self.late = parse_duration(value)?,
            ("define", "") => self.define = true,
            ("token", _) => self.token = Some(parse_duration(value)?),
            ("cookies", "") => self.cookies = true,
            ("redirect", "301" | "302" | "303" | "307" | "308") => self.redirect = value.parse().ok()?,
            ("ranges", "ignored") => self.ranges_ignored = true,
            ("unblocked", "") => self.unblocked = true,
            _ => return None,
        }
        Some(())
    }

    /// Returns the clock of a stream that began at `start`, on a site that began at `site_start`.
    pub(crate) fn clock(&self, start: Micros, site_start: Micros, wall: Micros) -> StreamClock {
        let begin = site_start.saturating_add(self.after);
        let has_begun = wall >= begin;
        // Before it jumps, a stream is late by as much, so that it is never ahead of the clock.
        let start = match has_begun {
            true if self.restart => begin.max(start),
            true => start,
            false => start.saturating_add(self.jump),
        };
        let is_frozen = self.frozen && has_begun;
        StreamClock { start, wall: if is_frozen { begin } else { wall }, is_frozen }
    }

    /// Returns `true` if a segment is a gap.
    pub(crate) fn is_gap(&self, number: u64) -> bool {
        hits(self.gap, number)
    }

    /// Returns the misbehaviour of a segment.
    pub(crate) fn of_segment(&self, number: u64) -> Option<SegmentFault> {
        if hits(self.missing, number) || self.is_gap(number) {
            Some(SegmentFault::Missing)
        } else if hits(self.empty, number) {
            Some(SegmentFault::Empty)
        } else {
            hits(self.cut, number).then_some(SegmentFault::Cut)
        }
    }
}

/// Parses a number of segments, of which the last one is at fault.
fn every(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

/// Returns `true` for the last one of every `every` segments.
fn hits(every: u64, number: u64) -> bool {
    every != 0 && number % every == every - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(options: &[(&str, &str)]) -> Faults {
        let mut faults = Faults::default();
        options.iter().for_each(|(key, value)| faults.set(key, value).unwrap());
        faults
    }

    #[test]
    fn a_clock_is_disturbed_after_a_time() {
        let clock = |options: &[(&str, &str)], wall| {
            let StreamClock { start, wall, is_frozen } = faults(options).clock(100, 10_000_000, wall);
            (start, wall, is_frozen)
        };
        let after = ("after", "5s");
        assert_eq!(clock(&[], 20_000_000), (100, 20_000_000, false));
        for (fault, before, then) in [
            (("frozen", ""), (100, 14_999_999, false), (100, 15_000_000, true)),
            (("restart", ""), (100, 14_999_999, false), (15_000_000, 16_000_000, false)),
            (("jump", "1s"), (1_000_100, 14_999_999, false), (100, 16_000_000, false)),
        ] {
            assert_eq!(clock(&[after, fault], 14_999_999), before, "{fault:?}");
            assert_eq!(clock(&[after, fault], 16_000_000), then, "{fault:?}");
        }
    }

    #[test]
    fn the_last_of_some_segments_is_at_fault() {
        let faults = faults(&[("missing", "4"), ("cut", "3"), ("empty", "2")]);
        let found: Vec<_> = (0..6).map(|number| faults.of_segment(number)).collect();
        use SegmentFault::{Cut, Empty, Missing};
        assert_eq!(found, [None, Some(Empty), Some(Cut), Some(Missing), None, Some(Empty)]);
    }

    #[test]
    fn values_that_an_option_does_not_take_are_refused() {
        for (key, value) in
            [("frozen", "1"), ("gap", "0"), ("gap", ""), ("token", "x"), ("redirect", "200"), ("ranges", ""), ("x", "")]
        {
            assert_eq!(Faults::default().set(key, value), None, "{key}={value}");
        }
    }
}
