//! Rows that stay in their file. A set of a gigabyte would cost more memory than all users together, so of a large file
//! only the places of its rows are kept, four bytes each; a row is read and parsed when it is drawn.
//!
//! It is read with `pread`, not mapped into memory: a mapped file that is truncated during the run ends the process
//! with `SIGBUS`, and one that is written to changes texts that were checked. A row that cannot be read, or is not a
//! row any more, is an error of the user that draws it.

mod array_scanner;
mod row_buffer;
mod row_index;
mod scan;

use std::fs::File;

pub(crate) use row_buffer::RowBuffer;
use row_buffer::{DataFileRef, HeldRow};
use row_index::RowIndex;
pub(super) use scan::{ScanError, scan};

use super::problem::DataFormat;
use super::problem::RowReadError;

/// The rows of one file, all checked once before the run.
pub struct FileRows {
    file: File,
    format: DataFormat,
    /// Names of the columns; empty for a plain list.
    columns: Vec<String>,
    index: RowIndex,
    /// The number by which a worker's buffer tells this file from others.
    number: usize,
}

impl FileRows {
    /// Returns the number of rows.
    pub const fn rows(&self) -> usize {
        self.index.rows()
    }

    /// Returns the names of the columns in their order; empty for a plain list.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Sets the number that tells this file from the others of a run.
    pub const fn set_number(&mut self, number: usize) {
        self.number = number;
    }

    /// Appends a cell. Several cells of one row, one after the other, read it once.
    ///
    /// # Errors
    /// The file can no longer be read, or has changed.
    pub fn append(
        &self,
        row: usize,
        column: usize,
        buffer: &mut RowBuffer,
        out: &mut String,
    ) -> Result<(), RowReadError> {
        let held = HeldRow { file: self.number, row };
        if !buffer.holds(held) {
            buffer.clear_held();
            buffer.read(DataFileRef { number: self.number, file: &self.file }, self.index.range(row))?;
            buffer.parse(&self.format, &self.columns)?;
            buffer.set_held(held);
        }
        out.push_str(buffer.cell(column)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
