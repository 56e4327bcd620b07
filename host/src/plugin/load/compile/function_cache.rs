//! The functions of large components, compiled, kept from one compilation to the next. An edit of a plugin in Python or
//! JavaScript leaves its interpreter as it was, which is all but a fraction of the component: only functions that have
//! changed are compiled.
//!
//! A function is found by a hash of all that its code depends on, which Cranelift makes. All are in one file, a pack:
//! keys, lengths and functions, and a checksum over all of that at the end. What it holds becomes machine code, so it
//! is trusted and checked like compiled code.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use wasmtime::CacheStore;

use super::checked;
use crate::plugin::load::cache::CacheEntry;

/// The size of the largest pack, in bytes: functions that were not used for longest are left out.
const MAX_PACK_BYTES: usize = 256 << 20;

/// The length of the key of a function.
const KEY_BYTES: usize = 32;

/// The key of a function.
type Key = [u8; KEY_BYTES];

/// The functions of one compilation, and those of earlier ones.
pub(super) struct FunctionCache {
    entry: CacheEntry,
    /// The pack as it was read, without its checksum.
    pack: Vec<u8>,
    /// Places of the functions in it, in its order.
    earlier: HashMap<Key, Range<usize>>,
    progress: Mutex<Progress>,
}

/// The functions that a compilation has asked for. The compiler has several threads.
#[derive(Default)]
struct Progress {
    /// Places of those that were in the pack.
    used: BTreeSet<(usize, usize)>,
    /// Those that were not.
    added: BTreeMap<Key, Vec<u8>>,
}

impl std::fmt::Debug for FunctionCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FunctionCache").field("earlier", &self.earlier.len()).finish_non_exhaustive()
    }
}

impl CacheStore for FunctionCache {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let place = self.earlier.get(key)?;
        self.progress().used.insert((place.start, place.end));
        Some(Cow::Borrowed(&self.pack[place.clone()]))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let Ok(key) = Key::try_from(key) else { return false };
        self.progress().added.insert(key, value);
        true
    }
}

impl FunctionCache {
    /// Reads the pack of an entry. One that is damaged counts as empty.
    pub(super) fn open(entry: CacheEntry) -> Self {
        let mut pack = entry.read(MAX_PACK_BYTES as u64 * 2).unwrap_or_default();
        let length = checked(&pack).map_or(0, <[u8]>::len);
        pack.truncate(length);
        let earlier = places(&pack).unwrap_or_default();
        Self { entry, pack, earlier, progress: Mutex::default() }
    }

    /// Saves the functions if there are new ones: those of this compilation, and earlier ones that have room.
    pub(super) fn save(&self) {
        let progress = self.progress();
        if progress.added.is_empty() {
            return;
        }
        let mut pack = Vec::new();
        let added = progress.added.iter().map(|(key, function)| (key, function.as_slice()));
        let earlier = |is_used: bool| {
            let mut places: Vec<_> = self.earlier.iter().collect();
            places.sort_by_key(|(_, place)| place.start);
            let wanted =
                places.into_iter().filter(|(_, place)| progress.used.contains(&(place.start, place.end)) == is_used);
            wanted.map(|(key, place)| (key, &self.pack[place.clone()])).collect::<Vec<_>>()
        };
        for (key, function) in earlier(true).into_iter().chain(added).chain(earlier(false)) {
            let Ok(length) = u32::try_from(function.len()) else { continue };
            if pack.len() + KEY_BYTES + function.len() > MAX_PACK_BYTES {
                break;
            }
            pack.extend_from_slice(key);
            pack.extend_from_slice(&length.to_le_bytes());
            pack.extend_from_slice(function);
        }
        let checksum = Sha256::digest(&pack);
        pack.extend_from_slice(&checksum);
        self.entry.save(&pack);
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the places of the functions of a pack; `None` if it has another form.
fn places(pack: &[u8]) -> Option<HashMap<Key, Range<usize>>> {
    let (mut places, mut rest) = (HashMap::new(), pack);
    while !rest.is_empty() {
        let (key, after) = rest.split_first_chunk::<KEY_BYTES>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let start = pack.len() - after.len();
        rest = after.get(length..)?;
        places.insert(*key, start..start + length);
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &std::path::Path) -> FunctionCache {
        FunctionCache::open(CacheEntry::at(folder.join("functions.pack")))
    }

    fn key(number: u8) -> Key {
        [number; KEY_BYTES]
    }

    #[test]
    fn functions_are_kept_and_found_by_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let first = cache(folder.path());
        assert_eq!(first.get(&key(1)), None);
        assert!(first.insert(&key(1), b"one".to_vec()) && first.insert(&key(2), Vec::new()));
        assert!(!first.insert(b"short", b"x".to_vec()));
        first.save();
        let second = cache(folder.path());
        assert_eq!(
            (second.get(&key(1)).as_deref(), second.get(&key(2)).as_deref()),
            (Some(&b"one"[..]), Some(&b""[..]))
        );
        assert_eq!(second.get(&key(3)), None);
        second.insert(&key(3), b"three".to_vec());
        second.save();
        let third = cache(folder.path());
        assert_eq!([1, 2, 3].map(|number| third.get(&key(number)).is_some()), [true; 3]);
    }

    #[test]
    fn a_pack_that_is_damaged_in_any_place_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let first = cache(folder.path());
        first.insert(&key(1), b"one".to_vec());
        first.save();
        let path = folder.path().join("functions.pack");
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut damaged = good.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(cache(folder.path()).get(&key(1)), None, "byte {at}");
        }
        std::fs::write(&path, &good[..good.len() - 1]).unwrap();
        assert_eq!(cache(folder.path()).get(&key(1)), None);
        std::fs::write(&path, &good).unwrap();
        assert!(cache(folder.path()).get(&key(1)).is_some());
    }

    #[test]
    fn lengths_beyond_the_end_are_not_followed() {
        let mut pack = key(1).to_vec();
        pack.extend_from_slice(&u32::MAX.to_le_bytes());
        pack.extend_from_slice(b"one");
        assert_eq!(places(&pack), None);
        assert_eq!(places(&pack[..10]), None);
        assert_eq!(places(b""), Some(HashMap::new()));
    }
}
