//! The events that a viewer's driver reports, each with the instant at which it happened. Instants count in
//! microseconds since the run began and never go back.

use std::rc::Rc;

use crate::micros::Micros;
use crate::playlist::{ByteRange, Playlist};
use crate::presentation::Presentation;

/// An event that [`crate::Viewer::step`] takes.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// The session begins. Given once, first.
    Start {
        /// The instant, from which the startup time counts.
        now: Micros,
        /// The driver's wall clock at that instant, since 1970.
        wall: Micros,
    },
    /// A fetch has ended with a reply, whatever its status. Each [`crate::Command::Fetch`] ends with one `Done` or
    /// `Failed`, unless a [`crate::Command::Leave`] ended it.
    Done(Reply<'a>),
    /// A fetch has ended without a whole reply.
    Failed {
        /// The instant.
        now: Micros,
        /// The fetch.
        id: FetchId,
        /// The reason.
        failure: FetchFailure,
        /// Bytes of content that came before.
        bytes: u64,
    },
    /// The answer to [`crate::Command::Look`]; none is given if the fetch has ended.
    Progress {
        /// The instant.
        now: Micros,
        /// The fetch.
        id: FetchId,
        /// The instant at which the head came; `None` if it has not.
        headed: Option<Micros>,
        /// Bytes of content so far.
        bytes: u64,
    },
    /// The instant of the last [`crate::Command::WakeAt`] has come.
    Timer {
        /// The instant, at or after the one that was asked for.
        now: Micros,
    },
    /// The session ends from outside: the run is over.
    Stop {
        /// The instant.
        now: Micros,
    },
}

/// The number of a fetch, unique in its session.
pub type FetchId = u32;

/// A reply to a fetch.
#[derive(Debug, Clone)]
pub struct Reply<'a> {
    /// The instant at which its last byte came.
    pub now: Micros,
    /// The fetch.
    pub id: FetchId,
    /// The status code.
    pub status: u16,
    /// Bytes of content, as transferred.
    pub bytes: u64,
    /// The instants of the exchange.
    pub times: FetchTimes,
    /// The fields that a viewer heeds.
    pub head: ReplyHead,
    /// The absolute URL that answered, after redirects.
    pub url: &'a str,
    /// The content of a fetch with `keep`, read by a reader; [`Content::Dropped`] without `keep`, or with an error
    /// status.
    pub content: Content,
}

/// The instants of an exchange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchTimes {
    /// The instant at which it began.
    pub start: Micros,
    /// The instant of the first byte of the reply's head.
    pub headed: Micros,
    /// The instant of its last byte.
    pub end: Micros,
}

/// The fields of a reply that a viewer heeds; `None` for those that are absent or malformed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplyHead {
    /// `Date`, an instant of the server's wall clock since 1970.
    pub date: Option<Micros>,
    /// `Age`, the time for which the reply was in caches.
    pub age: Option<Micros>,
    /// The first byte and the length of `Content-Range`.
    pub content_range: Option<ByteRange>,
    /// `Retry-After`, a duration.
    pub retry_after: Option<Micros>,
}

/// The content of a reply, as a reader understood it.
#[derive(Debug, Clone)]
pub enum Content {
    /// It was not kept.
    Dropped,
    /// A manifest: a multivariant playlist of HLS, or an MPD.
    Presentation(Rc<Presentation>),
    /// A media playlist of HLS, or the segment index of DASH.
    Playlist(Rc<Playlist>),
    /// A media playlist that came as the manifest: the presentation around it, and itself.
    Entry(Rc<Presentation>, Rc<Playlist>),
    /// An instant of a server's wall clock.
    Instant(Micros),
    /// A steering manifest.
    Steering(Rc<SteeringReply>),
    /// A delta update of a media playlist that does not fit the playlist before.
    Unmergeable,
    /// It is malformed; the driver has reported how.
    Malformed,
}

/// A steering manifest of HLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SteeringReply {
    /// The time after which it is fetched again.
    pub ttl: Micros,
    /// The absolute URL of the next fetch, if it changes.
    pub reload: Option<Box<str>>,
    /// Pathways, best first.
    pub priority: Vec<Box<str>>,
}

/// Reasons why a fetch has no whole reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchFailure {
    /// The time that [`crate::Fetch::give_up_at`] allowed has passed.
    Timeout,
    /// No connection, or one that broke.
    Network,
    /// The reply violates HTTP, or ended early.
    Protocol,
    /// The script does not grant the host, so the fetch will never succeed.
    Refused,
}

impl Event<'_> {
    /// Returns the instant at which it happened.
    #[must_use]
    pub fn now(&self) -> Micros {
        match self {
            Self::Start { now, .. }
            | Self::Failed { now, .. }
            | Self::Progress { now, .. }
            | Self::Timer { now }
            | Self::Stop { now } => *now,
            Self::Done(reply) => reply.now,
        }
    }
}
