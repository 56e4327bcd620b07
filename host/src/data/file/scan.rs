//! The scan of a whole file before the run: it finds the offsets of the rows, the columns, and the first error, which
//! gets the same message as in a small file. The rows themselves are not kept.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use ::csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use super::super::csv::{cell_count_message, is_blank};
use super::super::json;
use super::super::json_column::JsonColumn;
use super::super::problem::{DataFormat, FormatError};
use super::super::quotes::QuoteScan;
use super::super::table::{Table, TableBuilder};
use super::FileRows;
use super::array_scanner::{ArrayScanner, ScannedElement};
use super::row_index::RowIndex;

/// The reason why a scan failed.
pub(crate) enum ScanError {
    /// The file cannot be read.
    Io(io::Error),
    /// The contents are not rows.
    Contents(FormatError),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FormatError> for ScanError {
    fn from(problem: FormatError) -> Self {
        Self::Contents(problem)
    }
}

/// The number of bytes read at once.
const BUFFER_SIZE: usize = 1 << 20;

/// The result of a scan.
struct FileLayout {
    columns: Vec<String>,
    index: RowIndex,
}

/// Scans all rows of a file.
///
/// # Errors
/// Returns the first error.
pub(crate) fn scan(mut file: File, format: DataFormat) -> Result<FileRows, ScanError> {
    let size = file.metadata()?.len();
    let mut mark = [0; 3];
    let got = file.read(&mut mark)?;
    // Some editors put a byte order mark in front.
    let from = if got == 3 && mark == *b"\xef\xbb\xbf" { 3 } else { 0 };
    file.seek(SeekFrom::Start(from))?;
    let input = BufReader::with_capacity(BUFFER_SIZE, &file);
    let FileLayout { columns, mut index } = match &format {
        DataFormat::Csv(separator) => {
            check_quotes(input, *separator)?;
            (&file).seek(SeekFrom::Start(from))?;
            csv(&file, from, *separator)?
        }
        DataFormat::Lines => lines(input, from, |_| Ok(()))?,
        DataFormat::JsonLines(columns) => {
            let mut rows = TableBuilder::default();
            let layout = lines(input, from, |line| json::push_line(&mut rows, line, columns))?;
            FileLayout { columns: rows.finish().into_columns(), ..layout }
        }
        DataFormat::JsonArray(columns) => array(input, from, columns)?,
    };
    index.finish(size);
    Ok(FileRows { file, format, columns, index, number: 0 })
}

fn check_quotes(mut input: impl BufRead, separator: u8) -> Result<(), ScanError> {
    let mut quotes = QuoteScan::new(separator);
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Ok(quotes.finish()?);
        }
        quotes.push(bytes)?;
        let length = bytes.len();
        input.consume(length);
    }
}

fn csv(file: &File, from: u64, separator: u8) -> Result<FileLayout, ScanError> {
    let input = BufReader::with_capacity(BUFFER_SIZE, file);
    let mut reader = ReaderBuilder::new().delimiter(separator).flexible(true).trim(Trim::Headers).from_reader(input);
    let mut record = StringRecord::new();
    let mut index = RowIndex::default();
    let columns: Vec<_> = match reader.headers() {
        Ok(names) => names.iter().map(str::to_owned).collect(),
        Err(error) => return Err(csv_fault(file, error)),
    };
    let columns = Table::with_columns(columns).map_err(|message| FormatError { line: 1, message })?.into_columns();
    loop {
        let start = from + reader.position().byte();
        match reader.read_record(&mut record) {
            Ok(true) if is_blank(&record) => {}
            Ok(true) if record.len() != columns.len() => {
                let line = line_of_record(file, start)?;
                return Err(FormatError { line, message: cell_count_message(columns.len(), record.len()) }.into());
            }
            Ok(true) => index.push(start).map_err(|message| FormatError { line: 1, message })?,
            Ok(false) => return Ok(FileLayout { columns, index }),
            Err(error) => return Err(csv_fault(file, error)),
        }
    }
}

/// Converts an error of the CSV parser. Finding its line reads the file once more.
fn csv_fault(file: &File, error: ::csv::Error) -> ScanError {
    let result = match error.into_kind() {
        ErrorKind::Io(error) => return ScanError::Io(error),
        _ => line_of_bad_text(file).map(|line| FormatError { line, message: "not valid UTF-8".to_owned() }),
    };
    result.map_or_else(ScanError::Io, ScanError::Contents)
}

/// Returns the line of a record's first byte, from 1. Line breaks before it belong to the record before.
fn line_of_record(mut file: &File, at: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(0))?;
    let (mut line, mut seen) = (1, 0);
    for byte in BufReader::with_capacity(BUFFER_SIZE, file).bytes() {
        let byte = byte?;
        if seen >= at && !matches!(byte, b'\r' | b'\n') {
            break;
        }
        line += usize::from(byte == b'\n');
        seen += 1;
    }
    Ok(line)
}

/// Returns the first line that is not UTF-8, from 1.
fn line_of_bad_text(mut file: &File) -> io::Result<usize> {
    file.seek(SeekFrom::Start(0))?;
    let mut input = BufReader::with_capacity(BUFFER_SIZE, file);
    let (mut line, mut number) = (Vec::new(), 1);
    while input.read_until(b'\n', &mut line)? > 0 && str::from_utf8(&line).is_ok() {
        line.clear();
        number += 1;
    }
    Ok(number)
}

/// Scans a file whose rows are its lines. `check` may reject a line; blank ones are skipped.
fn lines(
    mut input: impl BufRead,
    from: u64,
    mut check: impl FnMut(&str) -> Result<(), String>,
) -> Result<FileLayout, ScanError> {
    let mut index = RowIndex::default();
    let (mut bytes, mut at, mut number) = (Vec::new(), from, 0);
    loop {
        bytes.clear();
        let read = input.read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(FileLayout { columns: Vec::new(), index });
        }
        number += 1;
        let problem = |message| FormatError { line: number, message };
        let line = str::from_utf8(&bytes).map_err(|_| problem("not valid UTF-8".to_owned()))?;
        if !line.trim().is_empty() {
            check(line.trim_end_matches(['\r', '\n'])).map_err(problem)?;
            index.push(at).map_err(problem)?;
        }
        at += read as u64;
    }
}

fn array(input: impl BufRead, from: u64, columns: &[JsonColumn]) -> Result<FileLayout, ScanError> {
    let mut elements = ArrayScanner::new(input, from);
    let (mut rows, mut index, mut bytes) = (TableBuilder::default(), RowIndex::default(), Vec::new());
    loop {
        match elements.next(&mut bytes)? {
            ScannedElement::End => return Ok(FileLayout { columns: rows.finish().into_columns(), index }),
            ScannedElement::Malformed(line, message) => {
                return Err(FormatError { line, message: message.to_owned() }.into());
            }
            ScannedElement::Element(at, line) => {
                let problem = |message| FormatError { line, message };
                let text = str::from_utf8(&bytes).map_err(|_| problem("not valid UTF-8".to_owned()))?;
                json::push_line(&mut rows, text, columns).map_err(problem)?;
                index.push(at).map_err(problem)?;
            }
        }
    }
}
