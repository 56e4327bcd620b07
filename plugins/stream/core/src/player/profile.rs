//! Profiles: the constants by which players differ, each read from the source of that player's release. A script may
//! override some of them.

use crate::abr::Rule;
use crate::micros::{MILLISECOND, Micros, SECOND};

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
    /// The time from the last byte that is needed to the first frame, in the player that this is a model of.
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
    /// Playback begins with this much, or with the first segment.
    pub start: Micros,
    /// Playback goes on with this much after a stall, or with the next segment.
    pub resume: Micros,
    /// `true` if no segment of sound is fetched that begins after the pictures that are on their way.
    pub in_step: bool,
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
        vec![Self::hls_js()]
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
                start: 0,
                resume: 0,
                in_step: true,
            },
            live: LiveGoals { targets: 3, per_stall: SECOND },
            retries: Retries {
                manifest: RetryPolicy { errors: 1, head: None, ..playlist },
                playlist,
                segment: RetryPolicy { errors: 6, timeouts: 4, total: 120 * SECOND, ..playlist },
                key: RetryPolicy { errors: 8, timeouts: 1, most: SECOND, head: Some(8 * SECOND), ..playlist },
            },
            parallel_init: true,
            decode: 50 * MILLISECOND,
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
