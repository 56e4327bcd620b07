//! The formats of data files, and the errors of reading one.

use std::path::Path;
use std::sync::Arc;

use super::json_column::JsonColumn;

/// The format of a data file.
#[derive(Clone, Debug)]
pub(super) enum DataFormat {
    /// `.csv`, `.tsv`: the byte that separates the cells.
    Csv(u8),
    /// `.json`: the columns that the script names, or none if the keys of a row are its columns.
    JsonArray(Arc<[JsonColumn]>),
    /// `.ndjson`, `.jsonl`: the columns, likewise.
    JsonLines(Arc<[JsonColumn]>),
    /// `.txt`
    Lines,
}

impl DataFormat {
    /// Returns the format of an extension, in upper or lower case. That of a compressed file stands before its `.gz`.
    pub(super) fn from_path(path: &Path) -> Option<Self> {
        let uncompressed = path.with_extension("");
        let path = if is_compressed(path) { &uncompressed } else { path };
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv(b',')),
            "tsv" => Some(Self::Csv(b'\t')),
            "json" => Some(Self::JsonArray(Arc::default())),
            "ndjson" | "jsonl" => Some(Self::JsonLines(Arc::default())),
            "txt" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// Returns `true` if a file is compressed by gzip, going by its name.
pub(super) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
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
