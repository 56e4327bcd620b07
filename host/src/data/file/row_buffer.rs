//! One row at a time out of a file: read, taken apart, and kept until another one is wanted. A worker has one buffer for
//! all its users, so that drawing allocates nothing once it has seen the longest row.

use std::fs::File;
use std::io;

use csv_core::{ReadRecordResult, Reader};

use super::super::json;
use super::super::problem::{DataFormat, RowReadError};

/// Room for a row and its cells.
#[derive(Default)]
pub struct RowBuffer {
    /// The bytes as they stand in the file.
    bytes: Vec<u8>,
    /// The file they are from, and where in it the first of them stands.
    window: Option<(usize, u64)>,
    /// The part of them that is the row.
    row: (usize, usize),
    /// The cells, decoded.
    cells: Vec<u8>,
    /// Where each cell is among them; `None` if the row has no such cell.
    cell_ranges: Vec<Option<(usize, usize)>>,
    /// Where cells end, as the CSV parser says it.
    ends: Vec<usize>,
    /// The CSV parser: its tables cost more to build than a row to read.
    csv: Option<Box<Reader>>,
    /// The file's number and the row that is held.
    held: Option<(usize, usize)>,
    /// How many bytes more than the row are read, for whoever reads one after the other.
    read_ahead: usize,
}

impl RowBuffer {
    /// For reading all rows of a file in their order.
    pub fn with_read_ahead() -> Self {
        Self { read_ahead: 1 << 20, ..Self::default() }
    }

    /// Whether it has this row of this file already.
    pub(super) fn holds(&self, file: usize, row: usize) -> bool {
        self.held == Some((file, row))
    }

    /// What it has is the row of this file.
    pub(super) fn set_held(&mut self, file: usize, row: usize) {
        self.held = Some((file, row));
    }

    /// What it has is no row.
    pub(super) fn clear_held(&mut self) {
        self.held = None;
    }

    /// Gets the bytes of a row out of a file, which has a number among those of the run.
    pub(super) fn read(
        &mut self,
        (number, file): (usize, &File),
        (start, end): (u64, u64),
    ) -> Result<(), RowReadError> {
        let length = usize::try_from(end - start).map_err(|_| RowReadError)?;
        let window = self.window.filter(|(whose, _)| self.read_ahead > 0 && *whose == number);
        let within = window.and_then(|(_, from)| usize::try_from(start.checked_sub(from)?).ok());
        let buffered = within.filter(|skip| skip + length <= self.bytes.len());
        let skip = match buffered {
            Some(skip) => skip,
            None => {
                self.window = Some((number, start));
                self.bytes.resize(length.max(self.read_ahead), 0);
                let got = read_at(file, &mut self.bytes, start).map_err(|_| RowReadError)?;
                self.bytes.truncate(got);
                0
            }
        };
        self.row = (skip, skip + length);
        if self.bytes.len() < skip + length { Err(RowReadError) } else { Ok(()) }
    }

    /// Takes the row apart.
    pub(super) fn parse(&mut self, format: DataFormat, columns: &[String]) -> Result<(), RowReadError> {
        let bytes = &self.bytes[self.row.0..self.row.1];
        self.cells.clear();
        self.cell_ranges.clear();
        match format {
            DataFormat::Csv => {
                let reader = self.csv.get_or_insert_with(|| Box::new(Reader::new()));
                self.ends.resize(columns.len() + 1, 0);
                // One more than the cells can take: the parser wants room even for nothing.
                self.cells.resize(bytes.len() + 1, 0);
                let cells = read_csv_record(reader, bytes, &mut self.cells, &mut self.ends);
                if cells != Some(columns.len()) {
                    return Err(RowReadError);
                }
                let starts = std::iter::once(0).chain(self.ends.iter().copied());
                self.cell_ranges
                    .extend(starts.zip(&self.ends).take(columns.len()).map(|(start, end)| Some((start, *end))));
            }
            DataFormat::Lines => {
                let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
                self.cells.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                self.cell_ranges.push(Some((0, self.cells.len())));
            }
            DataFormat::JsonArray | DataFormat::JsonLines => {
                self.cell_ranges.resize(columns.len().max(1), None);
                json::split_row(bytes, columns, &mut self.cells, &mut self.cell_ranges).ok_or(RowReadError)?;
            }
        }
        Ok(())
    }

    /// One cell of the row.
    pub(super) fn cell(&self, column: usize) -> Result<&str, RowReadError> {
        let (start, end) = self.cell_ranges.get(column).copied().flatten().ok_or(RowReadError)?;
        str::from_utf8(&self.cells[start..end]).map_err(|_| RowReadError)
    }
}

/// Reads one record into buffers that are large enough for it; how many cells it has, if it is one.
fn read_csv_record(reader: &mut Reader, mut input: &[u8], cells: &mut [u8], ends: &mut [usize]) -> Option<usize> {
    reader.reset();
    let (mut written, mut ended) = (0, 0);
    loop {
        let (result, read, wrote, found) = reader.read_record(input, &mut cells[written..], &mut ends[ended..]);
        (written, ended) = (written + wrote, ended + found);
        input = &input[read..];
        match result {
            // Nothing left stands for the end of the file, which ends a record as well.
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::Record => return Some(ended),
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull | ReadRecordResult::End => return None,
        }
    }
}

/// Fills the buffer from a place in the file, as far as the file goes. Moves no cursor: all workers share the file.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    fill(buffer, |rest, done| file.read_at(rest, at + done))
}

/// The same, where reading at a place moves the cursor, which nobody uses.
#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::windows::fs::FileExt;
    fill(buffer, |rest, done| file.seek_read(rest, at + done))
}

fn fill(buffer: &mut [u8], read: impl Fn(&mut [u8], u64) -> io::Result<usize>) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match read(&mut buffer[done..], done as u64) {
            Ok(0) => break,
            Ok(more) => done += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
