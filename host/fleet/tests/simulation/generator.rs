//! The load generator of a simulated node: it counts by the schedule, second by second of the node's own clock.

use stampede_fleet::frame::CountedSecond;
use stampede_fleet::{FleetSchedule, LoadOrder, SECOND, Steering, Time};

use crate::counts::{BINS, SimCounts, SimSchedule};
use crate::random::Random;

/// A load generator.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    schedule: SimSchedule,
    segment: u32,
    length: Time,
    random: Random,
    copies: usize,
    /// It never says that it has ended.
    pub(crate) hangs: bool,
    steering: Vec<Steering>,
    pub(crate) load: Option<GeneratorLoad>,
}

/// A load that goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GeneratorLoad {
    /// The start on the node's clock.
    pub(crate) start: Time,
    /// The instant, from the start, up to which everything was counted.
    counted: Time,
    /// The next second to hand over.
    second: u32,
    /// The end, from the start.
    end: Time,
    /// The instant, from the start, at which the last request ends.
    drained: Time,
}

/// The news of a generator.
pub(crate) enum News {
    Counted(CountedSecond<SimCounts>),
    Ended,
}

impl Generator {
    pub(crate) fn new(schedule: SimSchedule, segment: u32, length: Time, random: Random) -> Self {
        Self { copies: 0, hangs: false, schedule, segment, length, random, steering: Vec::new(), load: None }
    }

    pub(crate) fn order(&mut self, order: LoadOrder, now: Time) {
        match order {
            LoadOrder::Begin { start, from_second } => {
                let counted = Time::from(from_second) * SECOND;
                let end = self.length.max(counted);
                let drained = end + self.random.range(0, 2 * SECOND);
                self.load = Some(GeneratorLoad { start, counted, second: from_second, end, drained });
            }
            LoadOrder::Steer { at, scale_permille, is_paused } => {
                let Some(load) = &self.load else { return };
                let at = at.max(now).saturating_sub(load.start).max(load.counted);
                let number = self.steering.len() as u32 + 1;
                self.steering.push(Steering { number, at, scale_permille, is_paused });
            }
            LoadOrder::End { at } => {
                let drain = self.random.range(0, 2 * SECOND);
                let Some(load) = &mut self.load else { return };
                let at = at.max(now).saturating_sub(load.start);
                if at < load.end {
                    load.end = at.max(load.counted);
                    load.drained = load.end + drain;
                }
            }
            LoadOrder::Abort => {
                let Some(load) = &mut self.load else { return };
                load.end = load.end.min(now.saturating_sub(load.start)).max(load.counted);
                load.drained = load.end;
            }
        }
    }

    /// Returns the instant of the node's clock at which there is news.
    pub(crate) fn next(&self) -> Option<Time> {
        let load = self.load?;
        let boundary = (Time::from(load.second) + 1) * SECOND;
        Some(load.start + boundary.min(load.drained.max(load.end)))
    }

    /// Returns the news until now.
    pub(crate) fn advance(&mut self, now: Time) -> Vec<News> {
        let mut news = Vec::new();
        while let Some(load) = self.load
            && self.next().is_some_and(|next| next <= now)
        {
            let boundary = (Time::from(load.second) + 1) * SECOND;
            let until = boundary.min(load.end).max(load.counted);
            let counts = self.count(load.counted, until);
            news.push(News::Counted(CountedSecond { second: load.second, until, counts }));
            if boundary < load.drained.max(load.end) {
                self.load = Some(GeneratorLoad { counted: until, second: load.second + 1, ..load });
            } else {
                if !self.hangs {
                    news.push(News::Ended);
                }
                self.load = None;
            }
        }
        news
    }

    fn count(&mut self, from: Time, to: Time) -> SimCounts {
        let due = self.schedule.due(self.segment, from, to, &self.steering);
        let dropped = if self.random.chance(100) { due / 3 } else { 0 };
        let mut counts = SimCounts { fired: due - dropped, dropped, copies: self.copies, ..SimCounts::default() };
        for _ in 0..(due - dropped).min(8) + 1 {
            let number = self.random.next();
            counts.bins[(number % 3) as usize][(number >> 8) as usize % BINS] += 1 + (number >> 40) % 3;
        }
        counts
    }
}

impl Generator {
    pub(crate) fn prepare(&mut self, segment: u32, copies: usize) {
        (self.segment, self.copies) = (segment, copies);
    }
}
