//! The file of `--samples`. It is opened before the run, and emptied when the first line is due, so that `check`
//! changes nothing. Lines are written in blocks; with `.zst` each block is a frame of Zstandard, and the frames follow
//! one another.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::lines::LineFormat;
use crate::diagnostic::{Diagnostic, io_reason};

/// The size from which text is written.
const BLOCK_BYTES: usize = 256 << 10;

/// A file of lines.
#[derive(Debug)]
pub(super) struct SampleFile {
    path: PathBuf,
    file: File,
    /// The form of its lines.
    pub(super) format: LineFormat,
    is_compressed: bool,
    /// `true` if it did not exist before, so that it is removed again if nothing is written.
    is_new: bool,
    has_begun: bool,
    /// Lines that have not been written yet.
    pub(super) text: String,
}

impl SampleFile {
    /// Opens the file at a path. What is in it stays until the first line is written.
    ///
    /// # Errors
    /// `usage::samples` if its extension is not a known one, or it cannot be written.
    pub(super) fn open(path: &Path) -> Result<Self, Diagnostic> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let (stem, is_compressed) = name.strip_suffix(".zst").map_or((name.as_str(), false), |stem| (stem, true));
        let format = match stem.rsplit_once('.') {
            Some((_, "ndjson")) => LineFormat::Ndjson,
            Some((_, "csv")) => LineFormat::Csv,
            _ => {
                let message = format!("`{}` does not say in which form to write samples", path.display());
                let help = "give it the extension `.ndjson` or `.csv`, with `.zst` after it to compress it";
                return Err(Diagnostic::new("usage::samples", message).help(help));
            }
        };
        let is_new = !path.exists();
        // Not truncated: whether there is a run is not known yet.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| {
            Diagnostic::new("usage::samples", format!("cannot write `{}`: {}", path.display(), io_reason(&error)))
        })?;
        let text = String::with_capacity(BLOCK_BYTES + 4_096);
        Ok(Self { path: path.into(), file, format, is_compressed, is_new, has_begun: false, text })
    }

    /// Empties the file.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.has_begun = true;
        if self.file.metadata()?.is_file() { self.file.set_len(0) } else { Ok(()) }
    }

    /// Writes the text if there is much of it.
    pub(super) fn write_blocks(&mut self) -> io::Result<()> {
        if self.text.len() < BLOCK_BYTES { Ok(()) } else { self.write_all() }
    }

    /// Writes all text.
    pub(super) fn write_all(&mut self) -> io::Result<()> {
        if self.is_compressed {
            self.file.write_all(&compress_to_vec(self.text.as_bytes(), CompressionLevel::Fastest))?;
        } else {
            self.file.write_all(self.text.as_bytes())?;
        }
        self.text.clear();
        Ok(())
    }

    /// Returns the diagnostic for a file that could not be written. Traffic was sent by then, so this is not wrong
    /// usage.
    pub(super) fn cannot_write(&self, error: &io::Error) -> Diagnostic {
        Diagnostic::new("report::write", format!("cannot write `{}`: {}", self.path.display(), io_reason(error)))
    }
}

impl Drop for SampleFile {
    fn drop(&mut self) {
        if self.is_new && !self.has_begun {
            // It may be gone already.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_extension_is_the_form() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, expected) in [
            ("a.ndjson", Some((LineFormat::Ndjson, false))),
            ("a.NDJSON.zst", Some((LineFormat::Ndjson, true))),
            ("a.csv", Some((LineFormat::Csv, false))),
            ("a.csv.zst", Some((LineFormat::Csv, true))),
            ("a.json", None),
            ("a.zst", None),
            ("ndjson", None),
        ] {
            let opened = SampleFile::open(&folder.path().join(name));
            assert_eq!(opened.ok().map(|file| (file.format, file.is_compressed)), expected, "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0, "nothing was written");
    }

    #[test]
    fn an_old_file_stays_until_the_run_begins() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("old.csv");
        std::fs::write(&path, "something longer than the new text").expect("writable");
        drop(SampleFile::open(&path).expect("writable"));
        assert!(std::fs::read_to_string(&path).expect("readable").starts_with("something"));
        let mut file = SampleFile::open(&path).expect("writable");
        file.begin().expect("a file");
        file.text.push_str("new\r\n");
        file.write_all().expect("writable");
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "new\r\n");
    }

    #[test]
    fn blocks_are_frames_that_follow_one_another() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.ndjson.zst");
        let (mut file, mut whole) = (SampleFile::open(&path).expect("writable"), String::new());
        file.begin().expect("a file");
        for n in 0..40_000 {
            let line = format!("{{\"n\":{n},\"name\":\"Catalog\"}}\n");
            whole.push_str(&line);
            file.text.push_str(&line);
            file.write_blocks().expect("writable");
        }
        file.write_all().expect("writable");
        let packed = std::fs::read(&path).expect("readable");
        assert!(packed.len() * 3 < whole.len(), "{} of {}", packed.len(), whole.len());
        let (mut rest, mut text) = (packed.as_slice(), String::new());
        while !rest.is_empty() {
            let mut decoder = ruzstd::decoding::StreamingDecoder::new(&mut rest).expect("a frame");
            decoder.read_to_string(&mut text).expect("valid");
        }
        assert!(text == whole);
    }
}
