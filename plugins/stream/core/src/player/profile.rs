//! Profiles: the constants by which players differ, each read from the source of that player's release. A script may
//! override some of them.

use crate::abr::Rule;
use crate::micros::{Micros, SECOND};

/// The constants of a player.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The name, as scripts write it.
    pub name: &'static str,
    /// The rule that chooses rungs.
    pub rule: Rule,
    /// The buffers.
    pub buffer: BufferGoals,
    /// The behaviour at the live edge.
    pub live: LiveGoals,
    /// Failed requests.
    pub retries: Retries,
    /// `true` if an initialization segment is fetched beside the first segment that needs it, `false` if before it.
    pub parallel_init: bool,
    /// `true` if a part is requested as soon as the playlist announces it (`EXT-X-PRELOAD-HINT`).
    pub hints: bool,
    /// `true` if playback is faster or slower until the distance to the live edge is what a manifest asks for.
    pub catch_up: bool,
    /// The time from the last byte that is needed to the first frame, in the player that this is a model of: it is
    /// added to startup times. 0 until it is fitted to recordings of that player.
    pub decode: Micros,
}

/// The amounts of media that a player keeps, in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferGoals {
    /// Nothing is fetched while this much is ahead of the playhead.
    pub goal: Micros,
    /// The goal is raised to the time that this many bytes last; 0 for never.
    pub bytes: u64,
    /// The highest that bytes raise it to.
    pub most: Micros,
    /// The goal at the highest rung; 0 if it is the same.
    pub top: Micros,
    /// As `top`, for presentations of ten minutes or more.
    pub top_long: Micros,
    /// Playback begins with this much, or with the first segment.
    pub start: Micros,
    /// Playback goes on with this much after a stall, or with the next segment.
    pub resume: Micros,
    /// The bounds of sound beside pictures.
    pub sound: SoundGoal,
}

/// The bounds of sound, or of text, beside pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundGoal {
    /// As for pictures, and as much as they have; but no segment that begins after the pictures that are on their way.
    Loading,
    /// A second more than the pictures have, and a segment at least.
    Pictures,
    /// As for pictures; but no track may be a segment ahead of another.
    Segment,
}

/// The behaviour at the live edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveGoals {
    /// The distance to the edge, in target durations, unless the playlist gives one.
    pub targets: i64,
    /// The distance grows by this much with every stall, up to a target duration.
    pub per_stall: Micros,
}

/// The retries of each kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Of manifests.
    pub manifest: RetryPolicy,
    /// Of media playlists.
    pub playlist: RetryPolicy,
    /// Of segments, initialization segments and indices.
    pub segment: RetryPolicy,
    /// Of keys.
    pub key: RetryPolicy,
}

/// The retries of a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries after an error.
    pub errors: u32,
    /// Retries after a timeout; these begin at once.
    pub timeouts: u32,
    /// The delay before the first retry after an error.
    pub delay: Micros,
    /// The delay doubles with each retry, up to this; one that is not longer than `delay` stays as it is.
    pub most: Micros,
    /// `true` if a status of 400 to 499 is retried.
    pub client_errors: bool,
    /// The time to the head; `None` if only the whole time counts.
    pub head: Option<Micros>,
    /// The time to the last byte.
    pub total: Micros,
}

impl RetryPolicy {
    /// Returns the delay before the retry with this number, which counts from 0.
    pub(crate) fn delay(&self, number: u32) -> Micros {
        self.delay.saturating_mul(1 << number.min(20)).min(self.most.max(self.delay))
    }
}

impl Profile {
    /// Returns the profile with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|profile| profile.name == name)
    }

    /// Returns all profiles.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![Self::hls_js(), Self::dash_js(), Self::shaka(), Self::exoplayer()]
    }

    /// Returns the profile of hls.js 1.7.4.
    #[must_use]
    pub fn hls_js() -> Self {
        let playlist = RetryPolicy {
            errors: 2,
            timeouts: 2,
            delay: SECOND,
            most: 8 * SECOND,
            client_errors: false,
            head: Some(10 * SECOND),
            total: 20 * SECOND,
        };
        Self {
            name: "hls.js",
            rule: Rule::HlsJs,
            buffer: BufferGoals {
                goal: 30 * SECOND,
                bytes: 60_000_000,
                most: 600 * SECOND,
                top: 0,
                top_long: 0,
                start: 0,
                resume: 0,
                sound: SoundGoal::Loading,
            },
            live: LiveGoals { targets: 3, per_stall: SECOND },
            retries: Retries {
                manifest: RetryPolicy { errors: 1, head: None, ..playlist },
                playlist,
                segment: RetryPolicy { errors: 6, timeouts: 4, total: 120 * SECOND, ..playlist },
                key: RetryPolicy { errors: 8, timeouts: 1, most: SECOND, head: Some(8 * SECOND), ..playlist },
            },
            parallel_init: true,
            hints: false,
            catch_up: false,
            decode: 0,
        }
    }
}

impl Profile {
    /// Returns the profile of dash.js 5.2.1.
    #[must_use]
    pub fn dash_js() -> Self {
        let segment = RetryPolicy {
            errors: 3,
            timeouts: 3,
            delay: SECOND,
            most: SECOND,
            client_errors: true,
            head: None,
            total: 20 * SECOND,
        };
        let manifest = RetryPolicy { delay: SECOND / 2, most: SECOND / 2, total: 10 * SECOND, ..segment };
        let buffer = BufferGoals {
            goal: 18 * SECOND,
            bytes: 0,
            most: 0,
            top: 30 * SECOND,
            top_long: 60 * SECOND,
            start: 0,
            resume: 0,
            sound: SoundGoal::Pictures,
        };
        Self {
            name: "dash.js",
            rule: Rule::DashJs,
            buffer,
            live: LiveGoals { targets: 4, per_stall: 0 },
            retries: Retries { manifest, playlist: manifest, segment, key: segment },
            parallel_init: false,
            hints: false,
            catch_up: true,
            decode: 0,
        }
    }

    /// Returns the profile of Shaka Player 5.2.12.
    #[must_use]
    pub fn shaka() -> Self {
        let retry = RetryPolicy {
            errors: 1,
            timeouts: 1,
            delay: SECOND,
            most: SECOND,
            client_errors: true,
            head: Some(10 * SECOND),
            total: 30 * SECOND,
        };
        let hls_js = Self::hls_js();
        Self {
            name: "shaka",
            rule: Rule::Shaka,
            buffer: BufferGoals { goal: 10 * SECOND, bytes: 0, most: 0, sound: SoundGoal::Segment, ..hls_js.buffer },
            live: LiveGoals { targets: 3, per_stall: 0 },
            retries: Retries { manifest: retry, playlist: retry, segment: retry, key: retry },
            hints: true,
            ..hls_js
        }
    }

    /// Returns the profile of ExoPlayer.
    #[must_use]
    pub fn exoplayer() -> Self {
        let retry = RetryPolicy {
            errors: 3,
            timeouts: 3,
            delay: SECOND,
            most: 5 * SECOND,
            client_errors: true,
            head: Some(8 * SECOND),
            total: 60 * SECOND,
        };
        let hls_js = Self::hls_js();
        let goals = BufferGoals {
            goal: 50 * SECOND,
            bytes: 0,
            most: 0,
            start: SECOND,
            resume: 2 * SECOND,
            sound: SoundGoal::Segment,
            ..hls_js.buffer
        };
        Self {
            name: "exoplayer",
            rule: Rule::ExoPlayer,
            buffer: goals,
            live: LiveGoals { targets: 3, per_stall: 0 },
            retries: Retries { manifest: retry, playlist: retry, segment: retry, key: retry },
            parallel_init: false,
            hints: true,
            ..hls_js
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_limit() {
        let segment = Profile::hls_js().retries.segment;
        let delays: Vec<_> = (0..6).map(|number| segment.delay(number) / SECOND).collect();
        assert_eq!(delays, [1, 2, 4, 8, 8, 8]);
        assert_eq!(Profile::hls_js().retries.key.delay(5), SECOND);
    }

    #[test]
    fn profiles_are_found_by_name() {
        for profile in Profile::all() {
            assert_eq!(Profile::named(profile.name), Some(profile));
        }
        assert_eq!(Profile::named("vlc"), None);
    }
}
