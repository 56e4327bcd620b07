//! The viewer: a player of HLS and DASH as a pure state machine. It reads no clock, opens no connection and parses no
//! text, so a session of two hours is replayed in milliseconds, and is the same natively and in WebAssembly.
//!
//! [`Presentation`] and [`Playlist`] are the model that readers build. A driver reports an [`Event`] at a time and
//! carries the [`Command`]s out that the viewer answers with.

mod abr;
mod cmcd;
mod command;
mod event;
mod metric;
mod micros;
mod player;
mod playlist;
mod presentation;
mod reference;

pub use abr::Rule;
pub use cmcd::CmcdMode;
pub use command::{CmcdField, Command, Fault, FaultKind, Fetch, What};
pub use event::{Content, Event, FetchFailure, FetchId, FetchTimes, Reply, ReplyHead, SteeringReply};
pub use metric::{FatalError, Metric, Outcome};
pub use micros::{MILLISECOND, Micros, SECOND, from_seconds, from_ticks, to_seconds};
pub use player::{
    BufferGoals, Join, LiveGoals, Profile, Quality, Recurring, Retries, RetryPolicy, SessionSpec, Settings, Uniform,
    Viewer,
};
pub use playlist::{
    Availability, ByteRange, Copied, Part, PartSpec, Playlist, PlaylistBuilder, Report, Resource, Run, Schedule,
    Segment, SegmentSpec, StretchSpec, TemplateSpec,
};
pub use presentation::{
    ClockSource, Format, Indexed, Live, Presentation, Rung, Source, Steering, Track, TrackKind, Variable,
};
pub use reference::{is_absolute, query, resolve, with_query};
