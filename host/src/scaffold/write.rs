//! Onto the disk, and over nothing that is there.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, io_reason};

/// Writes the files into a folder, which is made if there is none.
///
/// # Errors
/// There is something in the folder, or a file cannot be written.
pub fn write(folder: &Path, files: &[(PathBuf, String)]) -> Result<(), Diagnostic> {
    let cannot = |path: &Path, error: &io::Error| {
        Diagnostic::new("usage::output-path", format!("cannot write `{}`: {}", path.display(), io_reason(error)))
    };
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            let message = format!("there is something in `{}` already", folder.display());
            return Err(Diagnostic::new("usage::output-path", message).help("choose another name, or another `--into`"));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(cannot(folder, &error)),
        _ => {}
    }
    for (path, text) in files {
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
        let file = |text: &str| [(PathBuf::from("c/d.txt"), text.to_owned())];
        write(&folder, &file("one")).expect("there is nothing yet");
        let error = write(&folder, &file("two")).expect_err("there is something");
        assert_eq!(error.message, format!("there is something in `{}` already", folder.display()));
        assert_eq!(fs::read_to_string(folder.join("c/d.txt")).expect("it was written"), "one");
        let error = write(&folder.join("c/d.txt"), &file("three")).expect_err("a file is no folder");
        assert!(error.message.starts_with("cannot write `") && error.message.ends_with("`: not a directory"));
    }
}
