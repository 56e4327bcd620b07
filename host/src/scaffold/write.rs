//! Writes the files of a new plugin to the disk, and overwrites nothing.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::template::ScaffoldFile;
use crate::diagnostic::{Diagnostic, io_reason};

/// Writes the files into a folder, which is created if it does not exist.
///
/// # Errors
/// The folder is not empty, or a file cannot be written.
pub(crate) fn write(folder: &Path, files: &[ScaffoldFile]) -> Result<(), Diagnostic> {
    let cannot = |path: &Path, error: &io::Error| {
        Diagnostic::new("usage::output-path", format!("cannot write `{}`: {}", path.display(), io_reason(error)))
    };
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            let message = format!("`{}` is not empty", folder.display());
            return Err(Diagnostic::new("usage::output-path", message).help("choose another name, or another `--into`"));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(cannot(folder, &error)),
        _ => {}
    }
    for ScaffoldFile { path, text } in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| cannot(parent, &error))?;
        fs::write(&path, text).map_err(|error| cannot(&path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_is_filled_and_a_full_one_is_left_alone() {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = temporary.path().join("a/b");
        let file = |text: &str| [ScaffoldFile::new("c/d.txt", text)];
        write(&folder, &file("one")).expect("there is nothing yet");
        let error = write(&folder, &file("two")).expect_err("the folder is not empty");
        assert_eq!(error.message, format!("`{}` is not empty", folder.display()));
        assert_eq!(fs::read_to_string(folder.join("c/d.txt")).expect("it was written"), "one");
        let error = write(&folder.join("c/d.txt"), &file("three")).expect_err("a file is not a folder");
        assert!(error.message.starts_with("cannot write `") && error.message.ends_with("`: not a directory"));
    }
}
