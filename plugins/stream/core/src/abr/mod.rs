//! The choice of rungs, as each player makes it. A rule is told of every transfer; it is asked which rung the next
//! segment comes from, and whether a slow segment is left for a lower rung.

mod estimate;
mod ewma;
mod hls_js;
mod math;

pub(crate) use estimate::Transfer;

use crate::event::FetchTimes;
use crate::micros::Micros;
use crate::presentation::Rung;
use hls_js::HlsJs;

/// The state of a session that a rule decides by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AbrContext<'a> {
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
}

/// A rule with its state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Abr {
    HlsJs(HlsJs),
}

impl Abr {
    /// `listed_first` is the bandwidth of the rung that the manifest lists first.
    pub(crate) fn new(rule: Rule, listed_first: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "bandwidths are far below 2^53")]
        let listed_first = listed_first as f64;
        match rule {
            Rule::HlsJs => Self::HlsJs(HlsJs::new(listed_first)),
        }
    }

    /// Takes the transfer of a segment.
    pub(crate) fn segment(&mut self, transfer: &Transfer, rung: usize) {
        match self {
            Self::HlsJs(rule) => rule.segment(transfer, rung),
        }
    }

    /// Takes the transfer of a playlist.
    pub(crate) fn playlist(&mut self, times: &FetchTimes) {
        match self {
            Self::HlsJs(rule) => rule.playlist(times),
        }
    }

    /// Returns the rung of the next segment.
    pub(crate) fn choose(&mut self, context: &AbrContext<'_>) -> usize {
        match self {
            Self::HlsJs(rule) => rule.choose(context),
        }
    }

    /// Returns the instant at which a segment that was just requested is looked at; `None` for never.
    pub(crate) fn first_look(&self, loading: &LoadingSegment) -> Option<Micros> {
        match self {
            Self::HlsJs(rule) => rule.first_look(loading),
        }
    }

    /// Decides about a segment that is on its way.
    pub(crate) fn look(&mut self, context: &AbrContext<'_>, loading: &LoadingSegment) -> Abandonment {
        match self {
            Self::HlsJs(rule) => rule.look(context, loading),
        }
    }
}
