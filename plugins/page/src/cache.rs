//! The URLs that a user has fetched and may keep, with the time of their expiry. No content is kept, since nothing
//! reads it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use url::Url;

/// The most URLs kept for a user, 16 bytes each.
const MOST: usize = 500;

/// The resources of a user.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Hashes of URLs, and the times at which they expire. Sorted by hash.
    kept: Vec<(u64, Duration)>,
}

impl Cache {
    /// Returns `true` if a resource is in the cache and fresh.
    pub(crate) fn has(&self, url: &Url, now: Duration) -> bool {
        let found = self.kept.binary_search_by_key(&hash(url), |(hash, _)| *hash);
        found.is_ok_and(|index| self.kept[index].1 > now)
    }

    /// Keeps a resource; in a full cache it replaces the one that expires first.
    pub(crate) fn keep(&mut self, url: &Url, until: Duration) {
        let hash = hash(url);
        match self.kept.binary_search_by_key(&hash, |(hash, _)| *hash) {
            Ok(index) => self.kept[index].1 = until,
            Err(_) => {
                if self.kept.len() >= MOST
                    && let Some((first, _)) = self.kept.iter().enumerate().min_by_key(|(_, (_, until))| *until)
                {
                    self.kept.remove(first);
                }
                let place = self.kept.partition_point(|(known, _)| *known < hash);
                self.kept.insert(place, (hash, until));
            }
        }
    }
}

/// Hashes a URL without a random seed: every instance gets the same hash.
fn hash(url: &Url) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.as_str().hash(&mut hasher);
    hasher.finish()
}

/// Returns the time for which a reply with this `cache-control` may be kept without asking (RFC 9111 section 5.2.2, RFC
/// 8246).
pub(crate) fn lifetime(cache_control: &str) -> Option<Duration> {
    let mut lifetime = None;
    for directive in cache_control.split(',') {
        let directive = directive.trim().to_ascii_lowercase();
        match directive.split_once('=').unwrap_or((&directive, "")) {
            ("no-store" | "no-cache", _) => return None,
            ("max-age", seconds) => lifetime = Some(Duration::from_secs(seconds.trim_matches('"').parse().ok()?)),
            // Without an age it is kept for a year, which outlasts any run.
            ("immutable", _) => lifetime = lifetime.or(Some(Duration::from_secs(365 * 24 * 3600))),
            _ => {}
        }
    }
    lifetime.filter(|lifetime| !lifetime.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_says_how_long_it_may_be_kept() {
        let year = 365 * 24 * 3600;
        for (field, seconds) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=31536000, immutable", Some(31_536_000)),
            ("immutable", Some(year)),
            ("immutable, max-age=5", Some(5)),
            ("max-age=60, no-store", None),
            ("no-cache, max-age=60", None),
            ("max-age=0", None),
            ("max-age=soon", None),
            ("private", None),
            ("", None),
        ] {
            assert_eq!(lifetime(field), seconds.map(Duration::from_secs), "{field}");
        }
    }

    #[test]
    fn kept_resources_expire_and_are_bounded() {
        let mut cache = Cache::default();
        let url = |n: usize| Url::parse(&format!("http://site/{n}")).expect("a URL");
        let at = |n: usize| Duration::from_secs(n as u64);
        for n in 0..=MOST {
            cache.keep(&url(n), at(1000 + n));
        }
        assert_eq!(cache.kept.len(), MOST);
        assert!(!cache.has(&url(0), at(0)) && cache.has(&url(1), at(1000)) && !cache.has(&url(1), at(1001)));
        cache.keep(&url(1), at(5000));
        assert!(cache.has(&url(1), at(4999)) && cache.kept.len() == MOST);
    }
}
