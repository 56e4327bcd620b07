//! The formats of a file with rows, and what can be wrong with one.

use std::path::Path;

/// How the rows of a file are written.
#[derive(Clone, Copy, Debug)]
pub enum DataFormat {
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
    /// By the extension, in any case.
    pub fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::JsonArray),
            "ndjson" | "jsonl" => Some(Self::JsonLines),
            "txt" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// What is wrong with the contents of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct FormatError {
    /// The line it shows in, from 1.
    pub line: usize,
    /// In the grammar of a diagnostic.
    pub message: String,
}

/// The line a byte is in, from 1.
pub fn line_at(text: impl AsRef<[u8]>, at: usize) -> usize {
    1 + text.as_ref().iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// A row's file can no longer be read, or has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowReadError;
