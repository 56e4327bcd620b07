//! One row at a time out of a file: read, split into cells, and kept until another row is read. A worker has one buffer
//! for all its users, so that drawing allocates nothing once the longest row has been read.

use std::fs::File;
use std::io;
use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::super::json;
use super::super::problem::{DataFormat, RowReadError};

/// A buffer for a row and its cells.
#[derive(Default)]
pub struct RowBuffer {
    /// Bytes of the file, unchanged.
    bytes: Vec<u8>,
    /// The place that they are from.
    window: Option<ReadWindow>,
    /// The part of them that is the row.
    row: Range<usize>,
    /// The cells, decoded.
    cells: Vec<u8>,
    /// The range of each cell among them; `None` if the row has no such cell.
    cell_ranges: Vec<Option<Range<usize>>>,
    /// The ends of cells, as the CSV parser returns them.
    ends: Vec<usize>,
    /// The CSV parser, kept because its tables cost more to build than a row to read.
    csv: Option<(u8, Box<Reader>)>,
    /// The row that the cells are of.
    held: Option<HeldRow>,
    /// The least number of bytes that a read takes, for callers that go through a file in order.
    read_ahead: usize,
}

/// A file, with its number among those of the run.
#[derive(Clone, Copy)]
pub(super) struct DataFileRef<'a> {
    pub(super) number: usize,
    pub(super) file: &'a File,
}

/// The part of a file that a buffer has read.
#[derive(Clone, Copy)]
struct ReadWindow {
    /// The file's number.
    file: usize,
    /// The offset of the first byte.
    start: u64,
}

/// A row of a file.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct HeldRow {
    /// The file's number.
    pub(super) file: usize,
    /// The row's number, from 0.
    pub(super) row: usize,
}

impl RowBuffer {
    /// Creates a buffer for reading all rows of a file in their order.
    pub fn with_read_ahead() -> Self {
        Self { read_ahead: 1 << 20, ..Self::default() }
    }

    /// Returns `true` if the buffer has this row already.
    pub(super) fn holds(&self, row: HeldRow) -> bool {
        self.held == Some(row)
    }

    /// Records which row the buffer has.
    pub(super) fn set_held(&mut self, row: HeldRow) {
        self.held = Some(row);
    }

    /// Records that the buffer has no row.
    pub(super) fn clear_held(&mut self) {
        self.held = None;
    }

    /// Reads the bytes of a row, unless they were read ahead.
    pub(super) fn read(&mut self, from: DataFileRef<'_>, bytes: Range<u64>) -> Result<(), RowReadError> {
        let length = usize::try_from(bytes.end - bytes.start).map_err(|_| RowReadError)?;
        let window = self.window.filter(|window| self.read_ahead > 0 && window.file == from.number);
        let within = window.and_then(|window| usize::try_from(bytes.start.checked_sub(window.start)?).ok());
        let buffered = within.filter(|skip| skip + length <= self.bytes.len());
        let skip = match buffered {
            Some(skip) => skip,
            None => {
                self.window = Some(ReadWindow { file: from.number, start: bytes.start });
                self.bytes.resize(length.max(self.read_ahead), 0);
                let got = read_at(from.file, &mut self.bytes, bytes.start).map_err(|_| RowReadError)?;
                self.bytes.truncate(got);
                0
            }
        };
        self.row = skip..skip + length;
        if self.bytes.len() < skip + length { Err(RowReadError) } else { Ok(()) }
    }

    /// Splits the row into cells.
    pub(super) fn parse(&mut self, format: &DataFormat, columns: &[String]) -> Result<(), RowReadError> {
        let bytes = &self.bytes[self.row.clone()];
        self.cells.clear();
        self.cell_ranges.clear();
        match format {
            &DataFormat::Csv(separator) => {
                let kept = self.csv.take().filter(|(known, _)| *known == separator);
                let new = || (separator, Box::new(ReaderBuilder::new().delimiter(separator).build()));
                let (_, reader) = self.csv.insert(kept.unwrap_or_else(new));
                self.ends.resize(columns.len() + 1, 0);
                // One more byte than the cells can take: the parser needs room even for nothing.
                self.cells.resize(bytes.len() + 1, 0);
                let cells = read_csv_record(reader, bytes, &mut self.cells, &mut self.ends);
                if cells != Some(columns.len()) {
                    return Err(RowReadError);
                }
                let starts = std::iter::once(0).chain(self.ends.iter().copied());
                self.cell_ranges
                    .extend(starts.zip(&self.ends).take(columns.len()).map(|(start, end)| Some(start..*end)));
            }
            DataFormat::Lines => {
                let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
                self.cells.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                self.cell_ranges.push(Some(0..self.cells.len()));
            }
            DataFormat::JsonArray(chosen) | DataFormat::JsonLines(chosen) if !chosen.is_empty() => {
                for column in chosen.iter() {
                    let start = self.cells.len();
                    self.cells.extend_from_slice(column.cell(bytes).map_err(|_| RowReadError)?.as_bytes());
                    self.cell_ranges.push(Some(start..self.cells.len()));
                }
            }
            DataFormat::JsonArray(_) | DataFormat::JsonLines(_) => {
                self.cell_ranges.resize(columns.len().max(1), None);
                json::split_row(bytes, columns, &mut self.cells, &mut self.cell_ranges).ok_or(RowReadError)?;
            }
        }
        Ok(())
    }

    /// Returns one cell of the row.
    pub(super) fn cell(&self, column: usize) -> Result<&str, RowReadError> {
        let range = self.cell_ranges.get(column).and_then(Clone::clone).ok_or(RowReadError)?;
        str::from_utf8(&self.cells[range]).map_err(|_| RowReadError)
    }
}

/// Parses one record into buffers that are large enough for it; returns its number of cells, if it is a record.
fn read_csv_record(reader: &mut Reader, mut input: &[u8], cells: &mut [u8], ends: &mut [usize]) -> Option<usize> {
    reader.reset();
    let (mut written, mut ended) = (0, 0);
    loop {
        let (result, read, wrote, found) = reader.read_record(input, &mut cells[written..], &mut ends[ended..]);
        (written, ended) = (written + wrote, ended + found);
        input = &input[read..];
        match result {
            // The next call gets an empty input, which means the end of the file; that ends a record as well.
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::Record => return Some(ended),
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull | ReadRecordResult::End => return None,
        }
    }
}

/// Fills the buffer from an offset of the file, as far as the file goes. Moves no cursor: all workers share the file.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    fill(buffer, |rest, done| file.read_at(rest, at + done))
}

/// Fills the buffer from an offset of the file, as far as the file goes. This moves the cursor, which is not used.
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
