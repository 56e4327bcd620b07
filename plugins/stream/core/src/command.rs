//! The commands that a viewer gives its driver. They are carried out in order, and no event is reported before all of a
//! step are: an answer to [`Command::Look`] may change the timer that a later command has set.

use crate::event::FetchId;
use crate::metric::{Metric, Outcome};
use crate::micros::Micros;
use crate::playlist::Resource;
use crate::presentation::TrackKind;

/// A command to the driver.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin a fetch.
    Fetch(Fetch),
    /// Tell the progress of a fetch, with [`crate::Event::Progress`].
    Look(FetchId),
    /// End a fetch, which is no failure. Nothing is reported of it any more.
    Leave(FetchId),
    /// Report [`crate::Event::Timer`] at this instant. It replaces the instant before: a viewer has one timer.
    WakeAt(Micros),
    /// Add a value to a metric.
    Count(Metric, f64),
    /// Fail the sample of a fetch whose reply was delivered in this step.
    Fault(Fault),
    /// The session is over: nothing is in flight, and no event is taken any more. Always the last command.
    Finish(Outcome),
}

/// A fetch to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetch {
    /// Its number.
    pub id: FetchId,
    /// The kind of thing that is fetched.
    pub what: What,
    /// The absolute URL, and the bytes of it to ask for.
    pub resource: Resource,
    /// The field to ask for the range with: `bytes=0-499`; the driver writes it as is.
    pub range: Option<String>,
    /// `true` if the driver keeps the body and has a reader read it; else it is discarded as it comes.
    pub keep: bool,
    /// The instant at which the driver ends it with [`crate::FetchFailure::Timeout`].
    pub give_up_at: Micros,
    /// CMCD (CTA-5004) to send in header fields; CMCD in the query is part of the URL.
    pub cmcd: Vec<CmcdField>,
}

/// A header field of CMCD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmcdField {
    /// The name, such as `CMCD-Request`.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

/// The kinds of things that a viewer fetches. Each has a row of its own in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// The manifest: a multivariant playlist, an MPD, or a media playlist in its place.
    Manifest,
    /// A media playlist of a track.
    Playlist(TrackKind),
    /// A media playlist that the server holds until it has news (`_HLS_msn`): its time says nothing of the server's
    /// speed.
    Reload(TrackKind),
    /// An initialization segment.
    Init(TrackKind),
    /// A segment.
    Segment(TrackKind),
    /// A part of a segment, or a segment that comes as it is made: its time is that of the live edge.
    Part(TrackKind),
    /// The segment index of a DASH file.
    Index(TrackKind),
    /// A key.
    Key,
    /// A wall clock.
    Clock,
    /// A steering manifest.
    Steering,
}

/// A reply that is wrong although HTTP was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The fetch.
    pub id: FetchId,
    /// The kind of fault.
    pub kind: FaultKind,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A status that is not 2xx.
    Status,
    /// Content that is neither HLS nor DASH, or malformed.
    Format,
    /// A segment without a byte.
    Empty,
    /// A range was asked for, and another one came.
    Range,
    /// A live playlist that is older than the one before.
    Stale,
}
