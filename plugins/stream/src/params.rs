//! The parameters of `stream`, and the player's settings that they make.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::parameters::{HttpVersion, TimeSpan};
use stampede_plugin::{ConfigError, Fields, Template};
use viewer_core::{self as core, Profile, Settings};

use crate::span::{Span, micros};

/// The parameters of `stream`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The manifest: an absolute URL, or one relative to the script's `base_url`. Rendered anew after each zap.
    pub(crate) url: Template,
    /// The time for which the viewer watches: `5m`, or `{uniform: [5m, 40m]}` to draw one for each session; an hour if
    /// absent. A recording that ends earlier ends the session.
    #[serde(default = "hour")]
    pub(crate) watch: Span,
    /// The player that is imitated, such as `hls.js`, or `{base: hls.js, buffer: 10s}` with other constants.
    #[serde(default)]
    player: Player,
    /// The qualities to play: `auto`, `lowest`, `highest`, `random`, `{height: 720}`, or `{most: 1080}`, which chooses
    /// among those up to that height; `auto` if absent.
    #[serde(default)]
    quality: QualityForm,
    /// The language of the sound, such as `en`; the default's if absent.
    audio: Option<String>,
    /// The language of subtitles; none are fetched if absent.
    subtitles: Option<String>,
    /// The place where a session begins: `edge`, `start` or `{behind: 30s}`; `edge` if absent, which is the beginning
    /// of a recording.
    #[serde(default)]
    join: JoinForm,
    /// The time without a first frame after which the viewer leaves; it waits for as long as it watches if absent.
    patience: Option<TimeSpan>,
    /// The time of one stall after which the session fails; never if absent.
    give_up_after_stall: Option<TimeSpan>,
    /// Seeks: `{every: 10m, by: 30s}`, each a time or a range.
    seek: Option<Seek>,
    /// Pauses: `{every: 5m, for: 20s}`, each a time or a range.
    pause: Option<Pause>,
    /// Changes to another presentation: `{every: 3m}`, a time or a range.
    zap: Option<Zap>,
    /// `true` if parts of segments are used where the server offers them; `true` if absent.
    #[serde(default = "yes")]
    low_latency: bool,
    /// `true` if the query of the manifest's URL is added to everything that is fetched without one; `false` if absent.
    #[serde(default)]
    forward_query: bool,
    /// The way in which the server is told about the player (CTA-5004): in the `query`, which may break signed URLs, or
    /// in `headers`; not at all if absent.
    cmcd: Option<CmcdForm>,
    /// Header fields of every request.
    #[serde(default)]
    pub(crate) headers: Fields,
    /// Other hosts, such as `cdn.site` or `cdn.site:8443`, that may be fetched from.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// A part of the names of the metrics: with `live`, `stream.startup` is `stream.live.startup`.
    pub(crate) label: Option<String>,
    /// `1.1`, `2` or `auto` (HTTP/2 if the server picks it); `auto` if absent.
    #[serde(default)]
    pub(crate) http_version: HttpVersion,
}

fn hour() -> Span {
    Span { from: Duration::from_hours(1), to: Duration::from_hours(1) }
}

fn yes() -> bool {
    true
}

/// `player:`, with the constants that a script may change.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(from = "PlayerForm")]
#[schemars(with = "PlayerForm")]
struct Player(ChangedPlayer);

/// The forms of `player:`.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum PlayerForm {
    /// The name alone.
    Name(String),
    /// With changes.
    Changed(ChangedPlayer),
}

/// A player with other constants.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangedPlayer {
    /// The player to begin with.
    base: Option<String>,
    /// The media that is kept ahead of the playhead.
    buffer: Option<TimeSpan>,
    /// The media with which playback begins.
    start: Option<TimeSpan>,
    /// The media with which playback goes on after a stall.
    resume: Option<TimeSpan>,
}

impl From<PlayerForm> for Player {
    fn from(form: PlayerForm) -> Self {
        match form {
            PlayerForm::Name(name) => Self(ChangedPlayer { base: Some(name), ..ChangedPlayer::default() }),
            PlayerForm::Changed(player) => Self(player),
        }
    }
}

/// `quality:`.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum QualityForm {
    /// The player chooses.
    #[default]
    Auto,
    /// The lowest alone.
    Lowest,
    /// The highest alone.
    Highest,
    /// One that each session draws.
    Random,
    /// The highest up to this height alone.
    Height(u32),
    /// The player chooses among those up to this height.
    Most(u32),
}

/// `join:`.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum JoinForm {
    /// The live edge, or the beginning of a recording.
    #[default]
    Edge,
    /// The beginning of what there is.
    Start,
    /// This far behind the edge, or before the end of a recording.
    Behind(TimeSpan),
}

/// `cmcd:`.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CmcdForm {
    /// In the query of URLs.
    Query,
    /// In header fields.
    Headers,
}

/// `seek:`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Seek {
    /// The time from one seek to the next.
    every: Span,
    /// The distance.
    by: Span,
}

/// `pause:`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pause {
    /// The time from one pause to the next.
    every: Span,
    /// The duration.
    r#for: Span,
}

/// `zap:`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Zap {
    /// The time after which the viewer goes on to another presentation.
    every: Span,
}

impl Params {
    /// Checks the parameters, and returns the settings of the player.
    pub(crate) fn settings(&self) -> Result<Settings, ConfigError> {
        let patience = self.patience.map(|TimeSpan(time)| time);
        if patience.is_some_and(|patience| patience >= self.watch.from) {
            return Err(ConfigError::new("`patience` must be shorter than `watch`").at("/patience"));
        }
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if self.label.as_ref().is_some_and(|label| label.is_empty() || !label.chars().all(is_letter)) {
            let error = ConfigError::new(format!("`{}` is not a label", self.label.as_deref().unwrap_or_default()));
            return Err(error.at("/label").help("write letters, digits and `_`, such as `live`"));
        }
        let every_is_some = |every: &Span| !every.from.is_zero();
        let recurring = [
            ("/seek", self.seek.as_ref().map(|seek| &seek.every)),
            ("/pause", self.pause.as_ref().map(|pause| &pause.every)),
            ("/zap", self.zap.as_ref().map(|zap| &zap.every)),
        ];
        for (key, every) in recurring {
            if !every.is_none_or(every_is_some) {
                return Err(ConfigError::new("`every` must be longer than 0s").at(format!("{key}/every")));
            }
        }
        Ok(Settings {
            quality: self.quality.into(),
            audio: self.audio.clone(),
            subtitles: self.subtitles.clone(),
            join: self.join.into(),
            low_latency: self.low_latency,
            forward_query: self.forward_query,
            cmcd: self.cmcd.map(Into::into),
            patience: patience.map(micros),
            give_up_after_stall: self.give_up_after_stall.map(|TimeSpan(time)| micros(time)),
            seek: self.seek.as_ref().map(|Seek { every, by }| recurring_action(*every, *by)),
            pause: self.pause.as_ref().map(|Pause { every, r#for }| recurring_action(*every, *r#for)),
            zap: self.zap.as_ref().map(|zap| zap.every.uniform()),
            ..Settings::new(self.profile()?)
        })
    }

    /// Returns the player with its changes.
    fn profile(&self) -> Result<Profile, ConfigError> {
        let Player(player) = &self.player;
        let name = player.base.as_deref().unwrap_or("hls.js");
        let Some(mut profile) = Profile::named(name) else {
            let names: Vec<_> = Profile::all().iter().map(|profile| format!("`{}`", profile.name)).collect();
            let error =
                ConfigError::new(format!("`{name}` is not a player")).help(format!("write {}", names.join(", ")));
            return Err(error.at("/player"));
        };
        let goals = &mut profile.buffer;
        if let Some(TimeSpan(buffer)) = player.buffer {
            (goals.goal, goals.most) = (micros(buffer), micros(buffer));
        }
        if let Some(TimeSpan(start)) = player.start {
            goals.start = micros(start);
        }
        if let Some(TimeSpan(resume)) = player.resume {
            goals.resume = micros(resume);
        }
        if goals.start.max(goals.resume) > goals.goal {
            return Err(ConfigError::new("`start` and `resume` must not be more than `buffer`").at("/player"));
        }
        Ok(profile)
    }
}

fn recurring_action(every: Span, by: Span) -> core::Recurring {
    core::Recurring { every: every.uniform(), by: by.uniform() }
}

impl From<CmcdForm> for core::CmcdMode {
    fn from(cmcd: CmcdForm) -> Self {
        match cmcd {
            CmcdForm::Query => Self::Query,
            CmcdForm::Headers => Self::Headers,
        }
    }
}

impl From<QualityForm> for core::Quality {
    fn from(quality: QualityForm) -> Self {
        match quality {
            QualityForm::Auto => Self::Auto,
            QualityForm::Lowest => Self::Lowest,
            QualityForm::Highest => Self::Highest,
            QualityForm::Random => Self::Random,
            QualityForm::Height(height) => Self::Height(height),
            QualityForm::Most(height) => Self::Most(height),
        }
    }
}

impl From<JoinForm> for core::Join {
    fn from(join: JoinForm) -> Self {
        match join {
            JoinForm::Edge => Self::Edge,
            JoinForm::Start => Self::Start,
            JoinForm::Behind(TimeSpan(time)) => Self::Behind(micros(time)),
        }
    }
}
