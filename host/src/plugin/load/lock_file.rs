//! `stampede.lock`, beside the scripts of a folder: the digest that each plugin of a script had when `plugin lock` was
//! run. With it a tag may move and a site may change without a run using other plugins. Two scripts may give one
//! name to different plugins, so each has entries of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::source::is_sha256;
use crate::diagnostic::{Diagnostic, SourceText, io_reason};

/// The name of the file.
pub(crate) const LOCK_FILE_NAME: &str = "stampede.lock";

/// The comment before the entries.
const HEADING: &str = "# Written by `stampede-shooter plugin lock`. Keep it with the scripts.\n";

/// The lock of the scripts in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockFile {
    /// Locked plugins by the names that scripts give them, by the scripts' file names.
    #[serde(default)]
    pub scripts: BTreeMap<String, BTreeMap<String, LockedPlugin>>,
    /// Locked plugins by name, of scripts without entries of their own: an earlier version wrote all of them here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
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
        let sound = |lock: &Self| {
            let all = lock.scripts.values().chain([&lock.plugins]).flat_map(BTreeMap::values);
            all.into_iter().all(|locked| is_sha256(&locked.sha256))
        };
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

    /// Returns the digest of a script's plugin, if its source has not changed.
    pub(crate) fn digest(&self, script: &str, name: &str, source: &str) -> Option<&str> {
        let plugins = self.scripts.get(script).unwrap_or(&self.plugins);
        plugins.get(name).filter(|locked| locked.source == source).map(|locked| locked.sha256.as_str())
    }

    /// Replaces the entries of a script.
    pub(crate) fn set(&mut self, script: &str, plugins: impl IntoIterator<Item = (String, LockedPlugin)>) {
        self.scripts.insert(script.to_owned(), plugins.into_iter().collect());
    }
}

/// Returns the name under which the lock has a script's entries: that of its file, or `-`.
pub(crate) fn script_key(script: &SourceText) -> &str {
    script.name.rsplit(['/', std::path::MAIN_SEPARATOR]).next().unwrap_or(&script.name)
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
        let mut lock = LockFile::default();
        lock.set("a: b.yml", plugins.map(|(name, locked)| (name.to_owned(), locked)));
        lock.write(folder.path()).unwrap();
        assert_eq!(LockFile::read(folder.path()), Ok(lock));
    }

    #[test]
    fn each_script_has_entries_of_its_own() {
        let locked = |digest: &str| LockedPlugin { source: "it.wasm".into(), sha256: digest.repeat(64) };
        let mut lock = LockFile { plugins: [("it".to_owned(), locked("0"))].into(), ..LockFile::default() };
        for (script, digest) in [("a.yml", "a"), ("b.yml", "b"), ("b.yml", "c")] {
            lock.set(script, [("it".to_owned(), locked(digest))]);
        }
        let digest = |script: &str, source: &str| lock.digest(script, "it", source).map(|it| it[..1].to_owned());
        assert_eq!(["a.yml", "b.yml", "c.yml"].map(|it| digest(it, "it.wasm").unwrap()), ["a", "c", "0"]);
        assert_eq!((digest("a.yml", "other.wasm"), lock.digest("a.yml", "other", "it.wasm")), (None, None));
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
