//! The choice of rungs, as each player makes it. A rule is told of every transfer; it is asked which rung the next
//! segment comes from, and whether a slow segment is left for a lower rung.

mod dash_js;
mod estimate;
mod ewma;
mod exoplayer;
mod hls_js;
mod math;
mod shaka;

pub(crate) use estimate::Transfer;
pub(crate) use math::exp;

use crate::event::FetchTimes;
use crate::micros::{Micros, from_seconds};
use crate::presentation::Rung;
use dash_js::DashJs;
use exoplayer::ExoPlayer;
use hls_js::HlsJs;
use shaka::Shaka;

/// The state of a session that a rule decides by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AbrContext<'a> {
    pub(crate) now: Micros,
    pub(crate) rungs: &'a [Rung],
    /// A bit for each of the first 64 rungs whose playlist is known.
    pub(crate) listed: u64,
    /// The highest rung that may be chosen.
    pub(crate) most: usize,
    /// The rung that the manifest lists first.
    pub(crate) listed_first: usize,
    /// The rung of the segment before.
    pub(crate) last: Option<usize>,
    /// The media in the buffer, ahead of the playhead.
    pub(crate) buffer: Micros,
    /// The duration of the segment before, or of segments in general; 0 if none is known.
    pub(crate) duration: Micros,
    pub(crate) is_live: bool,
    /// A bit for each of the first 64 rungs that failed.
    pub(crate) penalized: u64,
}

impl AbrContext<'_> {
    fn has_list(&self, rung: usize) -> bool {
        rung < 64 && self.listed & (1 << rung) != 0
    }

    fn is_penalized(&self, rung: usize) -> bool {
        rung < 64 && self.penalized & (1 << rung) != 0
    }
}

/// A segment that is on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadingSegment {
    pub(crate) now: Micros,
    pub(crate) rung: usize,
    /// The average bandwidth of its rung.
    pub(crate) average: u64,
    pub(crate) duration: Micros,
    pub(crate) start: Micros,
    pub(crate) headed: Option<Micros>,
    pub(crate) bytes: u64,
    /// `true` if the first frame has been shown.
    pub(crate) has_started: bool,
}

/// A decision about a slow segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abandonment {
    /// It is not looked at again.
    Never,
    /// It is looked at again at this instant.
    LookAt(Micros),
    /// It is left at this instant, unless it has come; then the rule chooses.
    LeaveAt(Micros),
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// That of hls.js 1.7.
    HlsJs,
    /// Those of dash.js 5.2.
    DashJs,
    /// That of Shaka Player 5.2.
    Shaka,
    /// That of ExoPlayer.
    ExoPlayer,
}

/// A rule with its state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Abr {
    HlsJs(HlsJs),
    DashJs(DashJs),
    Shaka(Shaka),
    ExoPlayer(ExoPlayer),
}

impl Abr {
    /// `listed_first` is the bandwidth of the rung that the manifest lists first, `goal` the buffer that is aimed for.
    pub(crate) fn new(rule: Rule, listed_first: u64, goal: Micros) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "bandwidths are far below 2^53")]
        let listed_first = listed_first as f64;
        match rule {
            Rule::HlsJs => Self::HlsJs(HlsJs::new(listed_first)),
            Rule::DashJs => Self::DashJs(DashJs::new(goal)),
            Rule::Shaka => Self::Shaka(Shaka::new()),
            Rule::ExoPlayer => Self::ExoPlayer(ExoPlayer::new()),
        }
    }

    /// Returns the estimate, in bits per second; 0 if the rule has none yet.
    pub(crate) fn rate(&self) -> f64 {
        match self {
            Self::HlsJs(rule) => rule.rate(),
            Self::DashJs(rule) => rule.rate(),
            Self::Shaka(rule) => rule.rate(),
            Self::ExoPlayer(rule) => rule.rate(),
        }
    }

    /// Takes the transfer of a segment.
    pub(crate) fn segment(&mut self, transfer: &Transfer, rung: usize) {
        match self {
            Self::HlsJs(rule) => rule.segment(transfer, rung),
            Self::DashJs(rule) => rule.segment(transfer, rung),
            Self::Shaka(rule) => rule.segment(transfer),
            Self::ExoPlayer(rule) => rule.segment(transfer),
        }
    }

    /// Takes the transfer of a playlist.
    pub(crate) fn playlist(&mut self, times: &FetchTimes) {
        if let Self::HlsJs(rule) = self {
            rule.playlist(times);
        }
    }

    /// Returns the rung of the next segment.
    pub(crate) fn choose(&mut self, context: &AbrContext<'_>) -> usize {
        match self {
            Self::HlsJs(rule) => rule.choose(context),
            Self::DashJs(rule) => rule.choose(context),
            Self::Shaka(rule) => rule.choose(context),
            Self::ExoPlayer(rule) => rule.choose(context),
        }
    }

    /// Returns the instant at which a segment that was just requested is looked at; `None` for never.
    pub(crate) fn first_look(&self, loading: &LoadingSegment) -> Option<Micros> {
        match self {
            Self::HlsJs(rule) => rule.first_look(loading),
            Self::DashJs(_) => DashJs::first_look(loading),
            Self::Shaka(_) | Self::ExoPlayer(_) => None,
        }
    }

    /// Decides about a segment that is on its way.
    pub(crate) fn look(&mut self, context: &AbrContext<'_>, loading: &LoadingSegment) -> Abandonment {
        match self {
            Self::HlsJs(rule) => rule.look(context, loading),
            Self::DashJs(rule) => rule.look(context, loading),
            Self::Shaka(_) | Self::ExoPlayer(_) => Abandonment::Never,
        }
    }
}

/// Returns the instant of the last look, in steps, that is not after a number of seconds: one step at least.
fn look_after(now: Micros, step: Micros, seconds: f64) -> Micros {
    let steps = from_seconds(seconds).unwrap_or(0).max(0) / step;
    now + step * steps.max(1)
}

/// Returns the highest rung that may be chosen, has not failed, and needs no more than a rate; else the lowest that has
/// not failed.
fn highest_below(context: &AbrContext<'_>, rate: f64) -> usize {
    let last = context.rungs.len().min(context.most + 1);
    let good = || (0..last).filter(|rung| !context.is_penalized(*rung));
    #[expect(clippy::cast_precision_loss, reason = "bandwidths are far below 2^53")]
    let fits = |rung: &usize| context.rungs[*rung].bandwidth as f64 <= rate;
    good().rev().find(fits).or_else(|| good().next()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::estimate::so_far;
    use super::*;
    use crate::micros::SECOND;
    use crate::presentation::Source;

    fn ladder() -> Vec<Rung> {
        let rung = |bandwidth| Rung { bandwidth, ..Rung::of(Source::InVariant) };
        [400_000, 800_000, 2_000_000, 4_000_000].map(rung).into()
    }

    fn context(rungs: &[Rung], second: Micros, last: Option<usize>, buffer: Micros) -> AbrContext<'_> {
        AbrContext {
            now: second * SECOND,
            rungs,
            listed: u64::MAX,
            most: rungs.len() - 1,
            listed_first: 0,
            last,
            buffer: buffer * SECOND,
            duration: 4 * SECOND,
            is_live: false,
            penalized: 0,
        }
    }

    /// Feeds a rule with transfers at a rate of kilobits per second, and returns its choices, each with its last rung.
    fn choices(rule: Rule, rates: &[u64], buffer: Micros) -> Vec<usize> {
        let rungs = ladder();
        let mut abr = Abr::new(rule, 400_000, 18 * SECOND);
        let mut last = None;
        let choose = |(second, rate): (usize, &u64)| {
            let now = Micros::try_from(second).unwrap() * 4;
            let rung = abr.choose(&context(&rungs, now, last, buffer));
            last = Some(rung);
            abr.segment(&so_far(now * SECOND, Some(now * SECOND), (now + 1) * SECOND, rate * 125), rung);
            rung
        };
        rates.iter().enumerate().map(choose).collect()
    }

    #[test]
    fn rules_follow_the_bandwidth_each_in_its_way() {
        let steady = [3_000; 6];
        assert_eq!(choices(Rule::HlsJs, &steady, 12), [0, 2, 2, 2, 2, 2]);
        assert_eq!(choices(Rule::DashJs, &steady, 8), [1, 2, 2, 2, 2, 2]);
        assert_eq!(choices(Rule::Shaka, &steady, 8), [1, 2, 2, 2, 2, 2]);
        assert_eq!(choices(Rule::ExoPlayer, &steady, 12), [0, 2, 2, 2, 2, 2]);
        // 70 % of 5.5 Mb/s are not enough for hls.js, 90 % are for dash.js.
        assert_eq!(choices(Rule::HlsJs, &[5_500; 4], 12), [0, 2, 2, 2]);
        assert_eq!(choices(Rule::DashJs, &[5_500; 4], 8), [1, 3, 3, 3]);
    }

    #[test]
    fn shaka_switches_every_eight_seconds_and_exoplayer_by_its_buffer() {
        let drop = [3_000, 3_000, 500, 500, 500, 500];
        assert_eq!(choices(Rule::Shaka, &drop, 8), [1, 2, 2, 1, 1, 1]);
        assert_eq!(choices(Rule::ExoPlayer, &[3_000; 4], 5), [0, 0, 0, 0]);
        let after_drop = choices(Rule::ExoPlayer, &[9_000, 9_000, 300, 300, 300, 300, 300, 300], 30);
        assert_eq!(after_drop.last(), Some(&3));
    }

    #[test]
    fn bola_chooses_by_the_buffer() {
        let by_buffer = |buffer| choices(Rule::DashJs, &[2_500; 12], buffer).pop();
        assert_eq!((by_buffer(4), by_buffer(13), by_buffer(17)), (Some(1), Some(2), Some(2)));
        // A short buffer bears less: 0.7 * 2.5 Mb/s * 2 s / 4 s.
        assert_eq!(by_buffer(2), Some(1));
        assert_eq!(by_buffer(1), Some(0));
    }

    #[test]
    fn rungs_that_failed_are_not_chosen() {
        let rungs = ladder();
        let context = AbrContext { penalized: 0b0011, ..context(&rungs, 0, None, 8) };
        assert_eq!(highest_below(&context, 900_000.0), 2);
        assert_eq!(highest_below(&AbrContext { most: 1, penalized: 0, ..context }, 9e9), 1);
        assert_eq!(highest_below(&AbrContext { penalized: 15, ..context }, 9e9), 0);
    }
}
