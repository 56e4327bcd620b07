//! The formats of data files, and the errors of reading one.

use std::path::Path;

/// The format of a data file.
#[derive(Clone, Copy, Debug)]
pub(super) enum DataFormat {
    /// `.csv`
    Csv,
    /// `.json`
    JsonArray,
    /// `.ndjson`, `.jsonl`
    JsonLines,
    /// `.txt`
    Lines,
}

impl DataFormat {
    /// Returns the format of an extension, in upper or lower case.
    pub(super) fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::JsonArray),
            "ndjson" | "jsonl" => Some(Self::JsonLines),
            "txt" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// An error in the contents of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FormatError {
    /// The line of the error, from 1.
    pub line: usize,
    /// The error, in the grammar of a diagnostic.
    pub message: String,
}

/// Returns the line that a byte is in, from 1.
pub(super) fn line_at(text: impl AsRef<[u8]>, at: usize) -> usize {
    1 + text.as_ref().iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// The error of a row whose file can no longer be read, or has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowReadError;
