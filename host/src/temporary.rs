//! Temporary files, which take the place of others once they are complete. A process that is killed leaves its own
//! behind; the next one that creates some in the same folder removes them.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

/// The least age of a leftover, beside the new file: no process takes this long between creating a file and locking it.
const MIN_AGE: Duration = Duration::from_secs(60);

/// A kind of temporary files, told by their names.
pub(crate) struct TemporaryKind {
    /// The beginning of a name.
    pub prefix: &'static str,
    /// The end of a name.
    pub suffix: &'static str,
    /// `true` if the content of a leftover is worth nothing. Otherwise only empty ones are removed.
    pub is_disposable: bool,
    /// `true` if no other user may read the files; otherwise the user's umask decides, as for any new file.
    pub is_private: bool,
}

impl TemporaryKind {
    /// Creates a file in a folder, and removes the leftovers of its kind there.
    ///
    /// # Errors
    /// The file cannot be created.
    pub(crate) fn create(&self, folder: &Path) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(self.prefix).suffix(self.suffix);
        #[cfg(unix)]
        if !self.is_private {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder)?;
        // The lock ends with the process, however that ends. Where a file system has no locks, nothing is removed.
        if file.as_file().try_lock().is_ok() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path != file.path() && self.is_leftover(&path, file.as_file()) {
                    // Another process may have removed it.
                    let _ = fs::remove_file(path);
                }
            }
        }
        Ok(file)
    }

    /// Returns `true` if a file is of this kind, older than the new one, and of no process that is alive.
    fn is_leftover(&self, path: &Path, new: &File) -> bool {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !(name.starts_with(self.prefix) && name.ends_with(self.suffix)) {
            return false;
        }
        let Ok(metadata) = fs::symlink_metadata(path) else { return false };
        let ages = metadata.modified().and_then(|old| Ok(new.metadata()?.modified()?.duration_since(old)));
        let is_old = ages.is_ok_and(|age| age.is_ok_and(|age| age >= MIN_AGE));
        let is_worthless = self.is_disposable || metadata.len() == 0;
        is_old && is_worthless && metadata.is_file() && File::open(path).is_ok_and(|file| file.try_lock().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const KIND: TemporaryKind =
        TemporaryKind { prefix: ".kind-", suffix: ".tmp", is_disposable: false, is_private: true };

    /// Creates a file, made to look an hour older.
    fn old_file(folder: &Path, name: &str, content: &str) -> File {
        let mut file = File::create(folder.join(name)).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.set_modified(file.metadata().unwrap().modified().unwrap() - Duration::from_secs(3600)).unwrap();
        file
    }

    #[test]
    fn only_what_dead_processes_have_left_is_removed() {
        for (is_disposable, kept) in [
            (false, [".kind-full.tmp", ".kind-held.tmp", ".kind-new.tmp", "other"].as_slice()),
            (true, &[".kind-held.tmp", ".kind-new.tmp", "other"]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            drop(old_file(folder.path(), ".kind-empty.tmp", ""));
            drop(old_file(folder.path(), ".kind-full.tmp", "a report"));
            drop(old_file(folder.path(), "other", ""));
            let held = old_file(folder.path(), ".kind-held.tmp", "");
            held.try_lock().unwrap();
            File::create(folder.path().join(".kind-new.tmp")).unwrap();
            let file = TemporaryKind { is_disposable, ..KIND }.create(folder.path()).unwrap();
            let mut names: Vec<_> =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.retain(|name| *name != file.path().file_name().unwrap());
            names.sort();
            assert_eq!(names, kept);
        }
    }
}
