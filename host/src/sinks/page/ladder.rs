//! The history of a run in ever longer stretches, so that its memory does not grow with the run: [`LADDER`] says how
//! many of each length are kept. Ticks are kept as deflated text, the form in which they are sent but for that.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::report::page::{LADDER, TickEvent};

/// A tick as it is kept. Copies share its text.
#[derive(Clone, Debug)]
pub(super) struct KeptTick {
    /// Number of its first second.
    pub(super) first: u32,
    /// Number of its last second.
    pub(super) last: u32,
    deflated: Arc<[u8]>,
}

/// The ticks of a run, by their length.
#[derive(Debug, Default)]
pub(super) struct TickLadder {
    levels: [VecDeque<KeptTick>; LADDER.len()],
}

impl KeptTick {
    fn new(tick: &TickEvent) -> io::Result<Self> {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut deflated, tick)?;
        deflated.flush()?;
        Ok(Self { first: tick.first, last: tick.last, deflated: deflated.finish()?.into() })
    }

    /// Returns the line of the log.
    pub(super) fn line(&self) -> io::Result<String> {
        let mut line = String::new();
        DeflateDecoder::new(&*self.deflated).read_to_string(&mut line)?;
        Ok(line)
    }
}

impl TickLadder {
    /// Adds the newest second.
    pub(super) fn push(&mut self, tick: &TickEvent) -> io::Result<()> {
        self.levels[0].push_back(KeptTick::new(tick)?);
        for level in 0..LADDER.len() - 1 {
            self.overflow(level)?;
        }
        Ok(())
    }

    /// Merges what is too old for a level into the next one.
    fn overflow(&mut self, level: usize) -> io::Result<()> {
        let coarse = LADDER[level + 1].seconds;
        while self.levels[level].len() > LADDER[level].buckets {
            let kept = &mut self.levels[level];
            let group = kept.front().map_or(0, |tick| tick.first / coarse);
            // All that belongs to one bucket of the next level goes at once.
            let Some(end) = kept.iter().position(|tick| tick.first / coarse != group) else { return Ok(()) };
            let ticks: io::Result<Vec<TickEvent>> =
                kept.drain(..end).map(|tick| Ok(serde_json::from_str(&tick.line()?)?)).collect();
            self.levels[level + 1].push_back(KeptTick::new(&TickEvent::merge(&ticks?))?);
        }
        Ok(())
    }

    /// Returns all ticks, the earliest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &KeptTick> {
        self.levels.iter().rev().flatten()
    }

    /// Returns the seconds after `last`; `None` if some of them are kept in a longer stretch only.
    pub(super) fn after(&self, last: u32) -> Option<impl Iterator<Item = &KeptTick>> {
        let seconds = &self.levels[0];
        let is_kept = seconds.front().is_none_or(|first| first.first <= last.saturating_add(1));
        is_kept.then(|| seconds.iter().filter(move |tick| tick.first > last))
    }

    /// Returns the memory of the texts, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.all().map(|tick| tick.deflated.len() + size_of::<KeptTick>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::{RowTick, SharedTimes};
    use crate::report::test_reports::times_of;

    fn tick(second: u32) -> TickEvent {
        let at_ms = u64::from(second) * 1_000;
        let mut tick = TickEvent { first: second, last: second, at_ms, end_ms: at_ms + 1_000, ..TickEvent::default() };
        tick.set_rows([(0, RowTick { ok: 1, ..RowTick::default() })].into_iter());
        tick
    }

    fn spans(ladder: &TickLadder) -> Vec<(u32, u32)> {
        ladder.all().map(|tick| (tick.first, tick.last)).collect()
    }

    #[test]
    fn history_is_without_gaps_and_ever_coarser() {
        let mut ladder = TickLadder::default();
        (0..4_000).for_each(|second| ladder.push(&tick(second)).expect("kept"));
        let spans = spans(&ladder);
        assert!(spans.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{spans:?}");
        assert_eq!((spans[0], spans[spans.len() - 1]), ((0, 29), (3_999, 3_999)));
        let lengths: Vec<u32> = spans.iter().map(|(first, last)| last - first + 1).collect();
        assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
        assert!(spans.len() < 600 + 360 + 60, "{}", spans.len());
    }

    #[test]
    fn a_tab_that_comes_back_gets_what_it_missed_or_everything() {
        let mut ladder = TickLadder::default();
        (0..1_000).for_each(|second| ladder.push(&tick(second)).expect("kept"));
        let after = |last: u32| ladder.after(last).map(|ticks| ticks.map(|tick| tick.first).collect::<Vec<_>>());
        assert_eq!(after(997), Some(vec![998, 999]));
        assert_eq!(after(999), Some(Vec::new()));
        assert_eq!(after(100), None, "these seconds are merged already");
    }

    #[test]
    fn lines_read_back() {
        let line = KeptTick::new(&tick(7)).and_then(|kept| kept.line()).expect("a line");
        assert_eq!(serde_json::from_str::<TickEvent>(&line).expect("JSON"), tick(7));
    }

    /// A day has 1,564 buckets at most; those of a busy run are made here, one of each length, and counted as often as
    /// a day has them. Each row has requests in 40 bins in each bucket, which is more than a steady load has.
    #[test]
    fn a_day_of_200_rows_takes_less_than_64_megabytes() {
        let busy = |span: u64| {
            let mut tick = tick(0);
            let rows = (0..200_u64).map(|row| {
                let times: Vec<u64> =
                    (0..20 * span.min(30)).map(|n| 900 + (n * n * 7_919 + row * 104_729) % 9_000).collect();
                let counts = RowTick {
                    ok: 20 * span + row,
                    err: row % 3,
                    bytes_out: 4_321 * span + row * 17,
                    bytes_in: 87_654 * span + row * 31,
                    max_us: 9_000 + row,
                    ok_max_us: 9_000 + row,
                    response: times_of(&times),
                    ..RowTick::default()
                };
                (row as u16 + 1, counts)
            });
            tick.set_rows(rows);
            tick.set_times(&SharedTimes { service: times_of(&[1, 2, 3]), ..SharedTimes::default() });
            (0..200).for_each(|row| tick.count_statuses(row, 200, 20 * span));
            let mut ladder = TickLadder::default();
            ladder.push(&tick).expect("kept");
            ladder.bytes() as u64
        };
        let day = [(1, 605), (5, 366), (30, 370), (300, 288)];
        let bytes: u64 = day.iter().map(|(span, buckets)| busy(*span) * buckets).sum();
        assert!(bytes < 64_000_000, "{bytes}");
        println!("a day of 200 rows: {bytes} bytes");
    }
}
