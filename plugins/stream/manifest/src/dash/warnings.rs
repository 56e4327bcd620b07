//! The warnings of one reading, and how much it may copy.

use crate::note::{ManifestError, Warning};

/// Warnings of a manifest; one that is wrong in every line would have as many.
const MOST_WARNINGS: usize = 100;

/// Bytes that a manifest of any size may be copied to by inheritance.
const LEAST_COPIED: usize = 16 << 20;

/// The warnings of one reading, and how much it may still copy.
#[derive(Debug)]
pub(super) struct DashWarnings {
    list: Vec<Warning>,
    /// Bytes of what a level inherits that may still be copied.
    left: usize,
}

impl DashWarnings {
    /// `length` is that of the manifest, in bytes.
    pub(super) fn new(length: usize) -> Self {
        Self { list: Vec::new(), left: LEAST_COPIED.saturating_add(length.saturating_mul(16)) }
    }

    pub(super) fn add(&mut self, line: usize, text: impl Into<String>) {
        if self.list.len() < MOST_WARNINGS {
            self.list.push(Warning { line, text: text.into() });
        }
    }

    /// Takes from what may be copied, so that what is inherited by many takes linear time and memory.
    pub(super) fn copy(&mut self, line: usize, bytes: usize) -> Result<(), ManifestError> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            ManifestError::new(line, "the manifest grows beyond 16 times its size")
                .help("shorten what its representations inherit")
        })?;
        Ok(())
    }

    /// Returns the warnings in the order of lines.
    pub(super) fn into_list(self) -> Vec<Warning> {
        let mut list = self.list;
        list.sort_by_key(|warning| warning.line);
        list
    }
}
