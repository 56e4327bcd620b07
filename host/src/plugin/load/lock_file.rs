//! `stampede.lock`, beside the script: the digest that each plugin had when `plugin lock` was run. With it a tag may
//! move and a site may change without a run using other plugins.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::source::is_sha256;
use crate::diagnostic::{Diagnostic, io_reason};

/// The name of the file.
pub(crate) const LOCK_FILE_NAME: &str = "stampede.lock";

/// The comment before the entries.
const HEADING: &str = "# Written by `stampede-shooter plugin lock`. Keep it with the script.\n";

/// The lock of the scripts in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockFile {
    /// Locked plugins by the names that the scripts give them.
    pub plugins: BTreeMap<String, LockedPlugin>,
}

/// The locked state of one plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedPlugin {
    /// Its source as typed in the script. An entry for another source is ignored.
    pub source: String,
    /// The digest of its bytes.
    pub sha256: String,
}

impl LockFile {
    /// Reads the lock of a folder; an empty one if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not a lock file.
    pub(crate) fn read(folder: &Path) -> Result<Self, Diagnostic> {
        let path = lock_path(folder);
        let wrong = |why: String| {
            Diagnostic::new("plugin::lock", format!("cannot read `{}`: {why}", path.display()))
                .help("remove it and run `stampede-shooter plugin lock --script FILE`")
        };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.map_err(|error| wrong(io_reason(&error)))?,
        };
        let lock: Option<Self> = serde_saphyr::from_str(&text).ok();
        let sound = |lock: &Self| lock.plugins.values().all(|locked| is_sha256(&locked.sha256));
        lock.filter(sound).ok_or_else(|| wrong("it is not as `plugin lock` writes it".into()))
    }

    /// Writes the lock of a folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Diagnostic> {
        let path = lock_path(folder);
        let failed = |why: String| Diagnostic::new("plugin::lock", format!("cannot write `{}`: {why}", path.display()));
        let text = serde_saphyr::to_string(self).map_err(|error| failed(error.to_string()))?;
        fs::write(&path, format!("{HEADING}{text}")).map_err(|error| failed(io_reason(&error)))
    }

    /// Returns the digest of a plugin, if its source has not changed.
    pub(crate) fn digest(&self, name: &str, source: &str) -> Option<&str> {
        self.plugins.get(name).filter(|locked| locked.source == source).map(|locked| locked.sha256.as_str())
    }
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.join(LOCK_FILE_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_lock_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(LockFile::read(folder.path()), Ok(LockFile::default()));
        let locked = |source: &str, digest: &str| LockedPlugin { source: source.into(), sha256: digest.repeat(64) };
        // A digest that looks like a number, and a source that needs quotes, stay what they are.
        let plugins = [("b", locked("oci://r/a:v1", "1")), ("a", locked("- #x: y.wasm", "e"))];
        let lock = LockFile { plugins: plugins.map(|(name, locked)| (name.to_owned(), locked)).into() };
        lock.write(folder.path()).unwrap();
        assert_eq!(LockFile::read(folder.path()), Ok(lock));
    }

    #[test]
    fn malformed_locks_are_rejected() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["[]", "plugins: {a: b}", "plugins: {a: {source: b, sha256: 12}}", "{plugins: {}, more: 1}", "{"] {
            fs::write(folder.path().join(LOCK_FILE_NAME), text).unwrap();
            let message = LockFile::read(folder.path()).unwrap_err().message;
            assert!(message.ends_with("it is not as `plugin lock` writes it"), "{message}");
        }
    }
}
