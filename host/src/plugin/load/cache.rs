//! The user's private cache folder. It holds compiled code, which is trusted like the program itself, and fetched
//! components, which are not. It belongs to the user, and no other user may write to it.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::diagnostic::io_reason;
use crate::temporary::TemporaryKind;

/// Environment variable that names the cache folder instead of the default one; empty means no cache.
const CACHE_VARIABLE: &str = "STAMPEDE_CACHE_DIR";

/// One entry, which need not exist yet.
#[derive(Clone, Debug)]
pub(crate) struct CacheEntry(PathBuf);

impl CacheEntry {
    /// Returns the entry with that name; `None` if nothing can be kept safely.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let folder = match std::env::var_os(CACHE_VARIABLE) {
            Some(named) if named.is_empty() => return None,
            Some(named) => PathBuf::from(named),
            None => etcetera::choose_base_strategy().ok()?.cache_dir().join("stampede-shooter"),
        };
        private_folder(&folder).then(|| Self(folder.join(name)))
    }

    /// Returns the entry in a file whose folder another process of this program has found to be private.
    pub(crate) const fn at(file: PathBuf) -> Self {
        Self(file)
    }

    /// Returns the path of its file.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the file, if it exists and belongs to the user.
    fn file(&self) -> Option<&Path> {
        is_owned_file(&self.0).then_some(&*self.0)
    }

    /// Reads the file, at most `max_bytes` of it.
    pub(crate) fn read(&self, max_bytes: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(self.file()?).ok()?.take(max_bytes).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Saves bytes for the next time. A failure is logged and does not stop the run.
    pub(crate) fn save(&self, bytes: &[u8]) {
        if let Err(error) = store(&self.0, bytes) {
            tracing::warn!("plugins cannot be cached in {}: {}", self.0.display(), io_reason(&error));
        }
    }
}

/// Creates the folder if needed. Returns `false` unless it belongs to the user and no other user may write to it.
fn private_folder(folder: &Path) -> bool {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if builder.create(folder).is_err() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // A file that this process creates has the process's user as its owner.
        let user = tempfile::tempfile_in(folder).and_then(|file| file.metadata()).map(|file| file.uid()).ok();
        let owned = fs::metadata(folder).is_ok_and(|meta| meta.mode() & 0o022 == 0 && Some(meta.uid()) == user);
        if !owned {
            tracing::warn!(
                "plugins are not cached: {} belongs to another user, or others may write to it",
                folder.display()
            );
        }
        owned
    }
    #[cfg(not(unix))]
    true
}

/// Returns `true` if an entry is a regular file with the same owner as its folder; `false` if it does not exist.
fn is_owned_file(entry: &Path) -> bool {
    let Ok(file) = fs::symlink_metadata(entry) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let folder = entry.parent().and_then(|folder| fs::metadata(folder).ok());
        if folder.is_none_or(|folder| folder.uid() != file.uid()) {
            return false;
        }
    }
    file.is_file()
}

/// Entries that are not complete.
const TEMPORARY: TemporaryKind =
    TemporaryKind { prefix: ".entry-", suffix: ".tmp", is_disposable: true, is_private: true };

/// Writes a temporary file, syncs it to the disk and renames it, so that no reader ever sees half an entry.
fn store(entry: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = TEMPORARY.create(entry.parent().unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(entry)?;
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_regular_file_of_the_folders_owner() {
        let folder = tempfile::tempdir().unwrap();
        assert!(private_folder(folder.path()));
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        for (name, own) in [("file", true), ("folder", false), ("link", false), ("none", false)] {
            assert_eq!(is_owned_file(&at(name)), own, "{name}");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!private_folder(folder.path()));
    }
}
