//! The viewer: a player of HLS and DASH as a pure state machine. It reads no clock, opens no connection and parses no
//! text, so a session of two hours is replayed in milliseconds, and is the same natively and in WebAssembly.
//!
//! [`Presentation`] and [`Playlist`] are the model that readers build. A driver reports an [`Event`] at a time to
//! [`Viewer::step`] and carries the [`Command`]s out that the viewer answers with, in their order:
//!
//! ```
//! use std::rc::Rc;
//! use viewer_core::{Command, Event, Profile, SessionSpec, Settings, SoundGoal, Viewer, What};
//!
//! let settings = Rc::new(Settings::new(Profile::hls_js()));
//! let session = SessionSpec { url: "https://site/master.m3u8".into(), watch: 60_000_000, seed: 1 };
//! let mut viewer = Viewer::new(settings, &session);
//! let mut commands = Vec::new();
//! viewer.step(&Event::Start { now: 0, wall: 1_796_083_200_000_000 }, &mut commands);
//! let [Command::Fetch(fetch), Command::WakeAt(_)] = &commands[..] else { panic!("{commands:?}") };
//! assert_eq!((fetch.what, fetch.resource.url.as_str()), (What::Manifest, "https://site/master.m3u8"));
//! ```
//!
//! The driver has one timer for a viewer, and shares a playlist that came in the same bytes between viewers.

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
    BufferGoals, Join, LiveGoals, Profile, Quality, Recurring, Retries, RetryPolicy, SessionSpec, Settings, SoundGoal,
    Uniform, Viewer,
};
pub use playlist::{
    Availability, ByteRange, CopiedFiles, Part, PartSpec, Playlist, PlaylistBuilder, Report, Resource, Run, Schedule,
    Segment, SegmentSpec, StretchSpec, TemplateSpec, fill_identifiers,
};
pub use presentation::{
    ClockSource, Format, IndexedFile, Live, Presentation, Rung, Source, Steering, Track, TrackKind, Variable,
};
pub use reference::{is_absolute, query, resolve, with_query};
