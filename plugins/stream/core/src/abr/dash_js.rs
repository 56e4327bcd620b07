//! The rules of dash.js 5.2: by throughput while the buffer is short, by the buffer (BOLA) while it is long, and never
//! more than a short buffer bears; and the abandonment of a segment that takes far longer than it plays.

use super::estimate::{Transfer, so_far};
use super::ewma::Ewma;
use super::math::ln;
use super::{Abandonment, AbrContext, LoadingSegment, highest_below, look_after};
use crate::micros::{MILLISECOND, Micros, to_seconds};

/// The share of the throughput that a rung may use.
const SAFETY: f64 = 0.9;
/// The bits per second before the first sample.
const FIRST: f64 = 1e6;
/// The half-lives of the averages, and the weight of a second of transfer.
const FAST: f64 = 3.0;
const SLOW: f64 = 8.0;
const WEIGHT: f64 = 1.5;
/// Transfers that are shorter came from a cache.
const CACHED: Micros = 10 * MILLISECOND;
/// The buffer from which BOLA chooses, and below which it does no longer, in seconds.
const BOLA_ON: f64 = 12.0;
const BOLA_OFF: f64 = 6.0;
/// The least buffer of BOLA, and what each rung adds to the buffer that it aims for, in seconds.
const BOLA_LEAST: f64 = 10.0;
const BOLA_PER_RUNG: f64 = 2.0;
/// The part of its imagined buffer that BOLA keeps with each segment.
const BOLA_DECAY: f64 = 0.99;
/// The share of the throughput that a short buffer allows, and the segments after which it is heeded.
const SHORT: f64 = 0.7;
const SHORT_AFTER: u32 = 2;
/// A segment is left if it takes this many times its duration.
const TOO_LONG: f64 = 1.8;
/// The time from the head to the first judgement of a segment, and from one to the next.
const LOOK_AFTER: Micros = 500 * MILLISECOND;
const LOOK_EVERY: Micros = 100 * MILLISECOND;

/// The state of the rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DashJs {
    fast: Ewma,
    slow: Ewma,
    segments: u32,
    bola: Bola,
    forced: Option<usize>,
    /// The buffer that the player aims for, in seconds.
    goal: f64,
}

/// The state of BOLA.
#[derive(Debug, Clone, Default, PartialEq)]
struct Bola {
    is_used: bool,
    is_steady: bool,
    /// Seconds that are added to the buffer, so that a rung that the throughput chose is kept.
    imagined: f64,
    current: usize,
    last: Option<Transfer>,
}

/// The parameters of BOLA for a ladder of rungs.
struct Utility {
    utilities: Vec<f64>,
    bandwidths: Vec<f64>,
    vp: f64,
    gp: f64,
}

impl DashJs {
    pub(crate) fn new(goal: Micros) -> Self {
        let (fast, slow) = (Ewma::new(FAST), Ewma::new(SLOW));
        Self { fast, slow, segments: 0, bola: Bola::default(), forced: None, goal: to_seconds(goal) }
    }

    fn is_sampled(&self) -> bool {
        self.fast.weight() > 0.0
    }

    /// Returns the throughput.
    pub(crate) fn rate(&self) -> f64 {
        self.fast.get().min(self.slow.get())
    }

    pub(crate) fn segment(&mut self, transfer: &Transfer, rung: usize) {
        self.segments += 1;
        self.bola.last = Some(*transfer);
        if self.forced == Some(rung) {
            self.forced = None;
        }
        if transfer.times.end - transfer.times.start < CACHED {
            return;
        }
        // The time to the head is no transfer.
        let seconds = (transfer.total() - transfer.head_seconds()).max(0.001);
        self.fast.sample(seconds * WEIGHT, transfer.bits() / seconds);
        self.slow.sample(seconds * WEIGHT, transfer.bits() / seconds);
    }

    pub(crate) fn choose(&mut self, context: &AbrContext<'_>) -> usize {
        if let Some(forced) = self.forced {
            return forced.min(context.most);
        }
        if !self.is_sampled() {
            return highest_below(context, FIRST);
        }
        let buffer = to_seconds(context.buffer);
        self.bola.is_used = buffer >= if self.bola.is_used { BOLA_OFF } else { BOLA_ON };
        let by_rate = highest_below(context, self.rate() * SAFETY);
        let chosen = match Utility::of(context, self.goal) {
            Some(utility) if self.bola.is_used => self.bola.choose(context, &utility, by_rate),
            _ => by_rate,
        };
        let duration = to_seconds(context.duration);
        if self.segments <= SHORT_AFTER || duration <= 0.0 {
            return chosen;
        }
        let borne = self.rate() * SHORT * buffer / duration;
        chosen.min(highest_below(context, borne))
    }

    pub(crate) fn first_look(loading: &LoadingSegment) -> Option<Micros> {
        (loading.rung > 0).then(|| loading.start + LOOK_AFTER)
    }

    pub(crate) fn look(&mut self, context: &AbrContext<'_>, loading: &LoadingSegment) -> Abandonment {
        let again = Abandonment::LookAt(loading.now + LOOK_EVERY);
        let Some(headed) = loading.headed else { return again };
        if loading.now - headed < LOOK_AFTER || loading.bytes == 0 {
            return again;
        }
        if to_seconds(context.buffer) > self.goal {
            let seconds = to_seconds(context.buffer) - self.goal;
            return Abandonment::LookAt(look_after(loading.now, LOOK_EVERY, seconds));
        }
        let transfer = so_far(headed, Some(headed), loading.now, loading.bytes);
        let rate = transfer.bits() / transfer.total().max(0.001);
        let average = bandwidth(loading.average);
        let bits = (average * to_seconds(loading.duration)).max(transfer.bits());
        let too_long = to_seconds(loading.duration) * TOO_LONG;
        if bits / rate < too_long {
            // The estimate grows no faster than with time, even if nothing more comes.
            let seconds = too_long * transfer.bits() / bits - transfer.total();
            return Abandonment::LookAt(look_after(loading.now, LOOK_EVERY, seconds));
        }
        let next = highest_below(context, rate);
        let next_bits = bits * bandwidth(context.rungs[next].bandwidth) / average.max(1.0);
        if next >= loading.rung || bits - transfer.bits() <= next_bits {
            return Abandonment::Never;
        }
        self.forced = Some(next);
        self.bola.imagined = 0.0;
        Abandonment::LeaveAt(loading.now)
    }
}

impl Bola {
    fn choose(&mut self, context: &AbrContext<'_>, utility: &Utility, by_rate: usize) -> usize {
        let buffer = to_seconds(context.buffer);
        if !self.is_steady {
            self.imagined = (utility.least_buffer(by_rate) - buffer).max(0.0);
            self.is_steady = buffer >= to_seconds(context.duration);
            self.current = by_rate;
            return by_rate;
        }
        if let Some(last) = self.last.take() {
            let at_request = buffer + last.total();
            let most = (utility.most_buffer(self.current) - at_request).max(0.0);
            self.imagined = (self.imagined * BOLA_DECAY).min(most);
            self.imagined += to_seconds(context.now - last.times.end).max(0.0);
        }
        let mut chosen = utility.best(buffer + self.imagined).min(context.most);
        if chosen > self.current && chosen > by_rate {
            chosen = by_rate.max(self.current).min(context.most);
        }
        let excess = (buffer + self.imagined - utility.most_buffer(chosen)).max(0.0);
        self.imagined = (self.imagined - excess).max(0.0);
        self.current = chosen;
        chosen
    }
}

impl Utility {
    /// Returns the parameters; `None` if there is only one rung.
    fn of(context: &AbrContext<'_>, goal: f64) -> Option<Self> {
        let bandwidths: Vec<_> = context.rungs.iter().map(|rung| bandwidth(rung.bandwidth.max(1))).collect();
        let utilities: Vec<_> = bandwidths.iter().map(|it| ln(*it) - ln(bandwidths[0]) + 1.0).collect();
        let highest = utilities.last().copied().filter(|highest| *highest > 1.0)?;
        let rungs = f64::from(u32::try_from(bandwidths.len()).unwrap_or(u32::MAX));
        let buffer = goal.max(BOLA_LEAST + BOLA_PER_RUNG * rungs);
        let gp = (highest - 1.0) / (buffer / BOLA_LEAST - 1.0);
        Some(Self { utilities, bandwidths, vp: BOLA_LEAST / gp, gp })
    }

    /// Returns the rung with the best score at a buffer.
    fn best(&self, buffer: f64) -> usize {
        let score =
            |index: usize| (self.vp * (self.utilities[index] - 1.0 + self.gp) - buffer) / self.bandwidths[index];
        (0..self.utilities.len()).fold(0, |best, index| if score(index) >= score(best) { index } else { best })
    }

    /// Returns the buffer above which a rung is too low.
    fn most_buffer(&self, rung: usize) -> f64 {
        self.vp * (self.utilities[rung] + self.gp)
    }

    /// Returns the buffer below which a rung is too high.
    fn least_buffer(&self, rung: usize) -> f64 {
        let (q, u) = (self.bandwidths[rung], self.utilities[rung]);
        let levels = (0..rung).filter(|lower| self.utilities[*lower] < u).map(|lower| {
            let (lower_q, lower_u) = (self.bandwidths[lower], self.utilities[lower]);
            self.vp * (self.gp + (q * lower_u - lower_q * u) / (q - lower_q))
        });
        levels.fold(0.0, f64::max)
    }
}

fn bandwidth(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "bandwidths are far below 2^53")]
    let bits = bits as f64;
    bits
}
