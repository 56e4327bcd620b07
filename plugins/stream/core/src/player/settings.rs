//! The settings of a viewer: those that all viewers of a step share, and those of one session.

use super::profile::Profile;
use crate::cmcd::CmcdMode;
use crate::micros::Micros;

/// The settings that all viewers of a step share.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The player.
    pub profile: Profile,
    /// The rungs that may be played.
    pub quality: Quality,
    /// The language of the sound; without one, the default's.
    pub audio: Option<String>,
    /// The language of subtitles; without one, none are fetched.
    pub subtitles: Option<String>,
    /// The place at which a session begins.
    pub join: Join,
    /// `true` if parts of segments are used where the server offers them.
    pub low_latency: bool,
    /// `true` if the query of the manifest's URL is added to everything that is fetched without one.
    pub forward_query: bool,
    /// The way in which the server is told about the player; `None` for not at all.
    pub cmcd: Option<CmcdMode>,
    /// The time without a first frame after which the viewer leaves.
    pub patience: Option<Micros>,
    /// The time of one stall after which the session fails.
    pub give_up_after_stall: Option<Micros>,
    /// Seeks.
    pub seek: Option<Recurring>,
    /// Pauses.
    pub pause: Option<Recurring>,
    /// The time after which the viewer goes on to another presentation.
    pub zap: Option<Uniform>,
}

/// The settings of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSpec {
    /// The absolute URL of the manifest.
    pub url: String,
    /// The time that the viewer wants to watch, from the start of the session.
    pub watch: Micros,
    /// The seed of its random choices.
    pub seed: u64,
}

/// The rungs that may be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// The profile's rule chooses among all.
    Auto,
    /// The lowest alone.
    Lowest,
    /// The highest alone.
    Highest,
    /// One that each session draws.
    Random,
    /// The highest with this height, or the nearest below, or the lowest.
    Height(u32),
    /// The profile's rule chooses among those of at most this height.
    Most(u32),
}

/// The place at which a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// At the live edge, as far behind it as the profile stays; a recording from its beginning.
    Edge,
    /// At the beginning of what there is.
    Start,
    /// This far behind the live edge; a recording this far before its end.
    Behind(Micros),
}

/// Something that a viewer does again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recurring {
    /// The time from one to the next.
    pub every: Uniform,
    /// The distance of a seek, or the duration of a pause.
    pub by: Uniform,
}

/// A duration that is drawn uniformly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uniform {
    /// The shortest.
    pub from: Micros,
    /// The longest.
    pub to: Micros,
}

impl Settings {
    /// Returns the settings of a viewer that plays as a profile does, and nothing else.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            quality: Quality::Auto,
            audio: None,
            subtitles: None,
            join: Join::Edge,
            low_latency: true,
            forward_query: false,
            cmcd: None,
            patience: None,
            give_up_after_stall: None,
            seek: None,
            pause: None,
            zap: None,
        }
    }
}
