//! The rule of hls.js 1.7: the highest rung whose segment comes before the buffer is empty, by a share of the estimate
//! that is lower for a higher rung; and the abandonment of a segment that would come too late.

use super::estimate::{HlsJsEstimate, Transfer, so_far};
use super::{Abandonment, AbrContext, LoadingSegment, look_after};
use crate::event::FetchTimes;
use crate::micros::{MILLISECOND, Micros, SECOND, to_seconds};

/// The share of the estimate that a rung may use.
const DOWN: f64 = 0.95;
/// The share that a rung above the one before may use.
const UP: f64 = 0.7;
/// The longest stall that a choice may cause when the buffer cannot do without, in seconds.
const STARVATION: f64 = 4.0;
/// The most that the first variant may raise the first estimate to.
const FIRST_MOST: f64 = 5e6;
/// The first estimate, in bits per second.
const FIRST: f64 = 5e5;
/// The time between two looks at a slow segment.
const LOOK_EVERY: Micros = 100 * MILLISECOND;

/// The state of the rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HlsJs {
    estimate: HlsJsEstimate,
    /// The seconds that the last playlist took from its first byte.
    playlist_load: f64,
    /// A rung that an abandonment has chosen.
    forced: Option<usize>,
}

/// The bounds of one search for a rung.
#[derive(Clone, Copy)]
struct Search {
    rate: f64,
    /// The highest rung that is looked at.
    most: usize,
    /// Seconds until the buffer is empty.
    buffer: f64,
    /// Seconds of stall that are accepted.
    stall: f64,
    down: f64,
    up: f64,
}

impl HlsJs {
    /// `listed_first` is the bandwidth of the variant that the playlist lists first.
    pub(crate) fn new(listed_first: f64) -> Self {
        let first = FIRST.max(listed_first.min(FIRST_MOST));
        Self { estimate: HlsJsEstimate::new(first), playlist_load: 0.0, forced: None }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.estimate.rate()
    }

    pub(crate) fn segment(&mut self, transfer: &Transfer, rung: usize) {
        self.estimate.sample_head(transfer.head_seconds());
        self.estimate.sample(transfer);
        if self.forced == Some(rung) {
            self.forced = None;
        }
    }

    pub(crate) fn playlist(&mut self, times: &FetchTimes) {
        self.playlist_load = to_seconds(times.end - times.headed);
    }

    pub(crate) fn choose(&mut self, context: &AbrContext<'_>) -> usize {
        if let Some(forced) = self.forced {
            return forced.min(context.most);
        }
        let rate = self.rate();
        let buffer = to_seconds(context.buffer);
        let Some(last) = context.last.filter(|_| self.estimate.is_sampled()) else {
            let search =
                Search { rate, most: context.most, buffer: buffer / 2.0, stall: STARVATION, down: 1.0, up: 1.0 };
            return self.find(context, search).unwrap_or(context.listed_first.min(context.most));
        };
        let without_stall = Search { rate, most: context.most, buffer, stall: 0.0, down: DOWN, up: UP };
        let found = (buffer > 0.0).then(|| self.find(context, without_stall)).flatten();
        found.unwrap_or_else(|| {
            let duration = to_seconds(context.duration);
            let stall = if duration > 0.0 { duration.min(STARVATION) } else { STARVATION };
            self.find(context, Search { stall, ..without_stall }).unwrap_or(if last > 0 { 0 } else { last })
        })
    }

    /// Returns the highest rung that the bounds allow.
    fn find(&self, context: &AbrContext<'_>, search: Search) -> Option<usize> {
        let base = context.last.unwrap_or(context.listed_first);
        let duration = if context.duration > 0 { to_seconds(context.duration) } else { 1.0 };
        (0..=search.most).rev().find(|index| {
            let Some(rung) = context.rungs.get(*index) else { return false };
            let share = if *index > base { search.up } else { search.down };
            let rate = share * search.rate;
            let is_comfortable = context.duration > 0 && search.buffer >= duration * 2.0 && search.stall == 0.0;
            let bits = bits(if is_comfortable { rung.average.unwrap_or(rung.bandwidth) } else { rung.bandwidth });
            let needs_list = context.is_live || !context.has_list(*index);
            let fetch = self.fetch_seconds(rate, bits * duration, needs_list);
            let is_known_good = context.last == Some(*index) || !context.is_penalized(*index);
            rate >= bits
                && is_known_good
                && (fetch <= self.estimate.head()
                    || context.is_live && context.last.is_some()
                    || fetch < search.buffer + search.stall)
        })
    }

    fn fetch_seconds(&self, rate: f64, bits: f64, needs_list: bool) -> f64 {
        let head = self.estimate.head();
        head + bits / rate + if needs_list { head + self.playlist_load } else { 0.0 }
    }

    /// Returns the instant of the first look at a segment.
    pub(crate) fn first_look(&self, loading: &LoadingSegment) -> Option<Micros> {
        let head = crate::micros::from_seconds(self.estimate.head()).unwrap_or(0);
        (loading.rung > 0).then(|| loading.start + head.max(loading.duration / 2) + MILLISECOND)
    }

    /// Decides about a segment that is on its way.
    pub(crate) fn look(&mut self, context: &AbrContext<'_>, loading: &LoadingSegment) -> Abandonment {
        let again = Abandonment::LookAt(loading.now + LOOK_EVERY);
        if loading.rung == 0 || !loading.has_started {
            return if loading.rung == 0 { Abandonment::Never } else { again };
        }
        let duration = to_seconds(loading.duration);
        let transfer = so_far(loading.start, loading.headed, loading.now, loading.bytes);
        let elapsed = transfer.total();
        let buffer = to_seconds(context.buffer);
        let has_bytes = loading.bytes > 0 && loading.headed.is_some();
        let expected = (duration * bits(loading.average) / 8.0).max(transfer.bits() / 8.0);
        let left = expected * 8.0 - transfer.bits();
        let streaming = if has_bytes { elapsed - transfer.head_seconds() } else { elapsed };
        let rate = if has_bytes { transfer.bits() / streaming.max(0.001) } else { 0.0 };
        let head = self.estimate.head();
        let rest = if rate > 0.0 { left / rate } else { expected * 8.0 / self.rate() + head };
        if rest <= buffer {
            // Until then the buffer lasts, even if nothing more comes.
            let growth = if rate > 0.0 { left / transfer.bits() } else { 0.0 };
            return Abandonment::LookAt(look_after(loading.now, LOOK_EVERY, (buffer - rest) / (1.0 + growth)));
        }
        let rate = if rate > 0.0 { rate } else { self.rate() };
        let (mut next, mut next_seconds) = (loading.rung, f64::INFINITY);
        while next > 0 {
            next -= 1;
            let needs_list = context.is_live || !context.has_list(next);
            next_seconds = self.fetch_seconds(rate, duration * bits(context.rungs[next].bandwidth), needs_list);
            if next_seconds < buffer.min(duration + head) {
                break;
            }
        }
        if next_seconds >= rest || next_seconds > duration * 10.0 {
            return again;
        }
        if has_bytes {
            self.estimate.sample(&transfer)
        } else {
            self.estimate.sample_head(elapsed)
        }
        let lower = bits(context.rungs[next].bandwidth);
        if self.rate() * UP > lower {
            self.estimate = HlsJsEstimate::new(lower);
        }
        let search = Search { rate: lower, most: next, buffer: 0.0, stall: buffer, down: 1.0, up: 1.0 };
        let next = self.find(context, search).unwrap_or(next);
        self.forced = Some(next);
        let wait = crate::micros::from_seconds(next_seconds).unwrap_or(SECOND);
        let at = if rest > next_seconds * 2.0 { loading.now } else { loading.now + wait };
        Abandonment::LeaveAt(at)
    }
}

fn bits(bandwidth: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "bandwidths are far below 2^53")]
    let bits = bandwidth as f64;
    bits
}
