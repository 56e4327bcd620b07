//! The user's private folder of what was made or fetched before: compiled code, which is trusted like the program
//! itself, and components from elsewhere, which are not. It belongs to the user, and nobody else may write to it.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::diagnostic::io_reason;

/// Names a folder for the cache instead of the customary one; empty means no cache.
pub const CACHE_VARIABLE: &str = "STAMPEDE_CACHE_DIR";

/// One entry, which may not be there yet.
#[derive(Clone, Debug)]
pub struct CacheEntry(PathBuf);

impl CacheEntry {
    /// The entry of that name; `None` if nothing can be kept safely.
    pub fn named(name: &str) -> Option<Self> {
        let folder = match std::env::var_os(CACHE_VARIABLE) {
            Some(named) if named.is_empty() => return None,
            Some(named) => PathBuf::from(named),
            None => etcetera::choose_base_strategy().ok()?.cache_dir().join("stampede-shooter"),
        };
        private_folder(&folder).then(|| Self(folder.join(name)))
    }

    /// The file, if it is there and the user's own.
    pub fn file(&self) -> Option<&Path> {
        is_owned_file(&self.0).then_some(&*self.0)
    }

    /// What the file holds, up to so many bytes.
    pub fn read(&self, most: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(self.file()?).ok()?.take(most).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Keeps bytes for the next time. That they cannot be kept is no reason to stop.
    pub fn save(&self, bytes: &[u8]) {
        if let Err(error) = store(&self.0, bytes) {
            tracing::warn!("plugins cannot be cached in {}: {}", self.0.display(), io_reason(&error));
        }
    }
}

/// Makes the folder if need be; `false` unless it is the user's alone.
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
        // Whoever this process is, a file that it makes says so.
        let user = tempfile::tempfile_in(folder).and_then(|file| file.metadata()).map(|file| file.uid()).ok();
        let owned = fs::metadata(folder).is_ok_and(|meta| meta.mode() & 0o022 == 0 && Some(meta.uid()) == user);
        if !owned {
            tracing::warn!("{} is not this user's alone, so plugins are not cached", folder.display());
        }
        owned
    }
    #[cfg(not(unix))]
    true
}

/// Whether an entry is a regular file of the user that the folder belongs to; `false` if there is none.
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

/// Writes a temporary file first, and that to the disk, so that nobody ever sees half an entry.
fn store(entry: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(entry.parent().unwrap_or(Path::new(".")))?;
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
    fn an_entry_is_a_regular_file_in_a_folder_of_the_users_own() {
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
    fn a_folder_that_others_may_write_to_is_no_cache() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!private_folder(folder.path()));
    }
}
