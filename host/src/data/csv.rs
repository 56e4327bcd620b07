//! CSV files (RFC 4180): the first line names the columns.

use csv::{Error, ErrorKind, Position, ReaderBuilder, StringRecord, Trim};

use super::problem::{FormatError, line_at};
use super::table::Table;

/// Parses a file. Cells are kept as they are; names of columns are trimmed, as `name, password` is common. Empty lines
/// are skipped.
pub(super) fn parse(text: &str) -> Result<Table, FormatError> {
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| format_error(text, &error))?.iter().map(str::to_owned).collect();
    let mut table = Table::with_columns(columns).map_err(|message| FormatError { line: 1, message })?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| format_error(text, &error))? {
        table.push(&record);
    }
    Ok(table)
}

/// Converts an error. Reading from memory cannot fail and the text is UTF-8 already, so the only error left is a
/// wrong number of cells.
fn format_error(text: &str, error: &Error) -> FormatError {
    let message = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => cell_count_message(*expected_len, *len),
        _ => error.to_string(),
    };
    FormatError { line: error.position().map_or(1, |at| line_of(text, at)), message }
}

/// Returns the message about a row of another width.
pub(super) fn cell_count_message(expected: u64, found: u64) -> String {
    format!("expected {expected} cells as in the first line, found {found}")
}

/// Returns the line that a record begins in, from 1. The parser's own position is where it began to look, which is
/// before empty lines, and before the LF of a CRLF.
fn line_of(text: &str, record: &Position) -> usize {
    let from = usize::try_from(record.byte()).unwrap_or(text.len()).min(text.len());
    let skipped = text.as_bytes()[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    line_at(text, from + skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_may_hold_anything() {
        let table = parse("name, note\r\nann,\"a, \"\"b\"\"\nc\"\r\nbob,\r\n").unwrap();
        assert_eq!(table.columns(), ["name", "note"]);
        assert_eq!(table.rows(), 2);
        assert_eq!((table.cell(0, 1), table.cell(1, 0), table.cell(1, 1)), ("a, \"b\"\nc", "bob", ""));
    }

    #[test]
    fn ragged_rows_are_rejected_with_their_line() {
        let cases = [
            ("in the next line", "a,b\n1\n", 2),
            ("after an empty line", "a,b\n1,2\n\n3\n", 4),
            ("with CRLF", "a,b\r\n1,2\r\n3\r\n", 3),
            ("after a cell of two lines", "a,b\n1,\"2\n2\"\n3\n", 4),
        ];
        for (case, text, line) in cases {
            let message = "expected 2 cells as in the first line, found 1".to_owned();
            assert_eq!(parse(text).unwrap_err(), FormatError { line, message }, "{case}");
        }
    }

    #[test]
    fn a_header_alone_has_no_rows() {
        assert_eq!(parse("a,b\n").unwrap().rows(), 0);
        assert_eq!(parse("").unwrap().rows(), 0);
    }

    #[test]
    fn a_repeated_column_is_rejected() {
        assert_eq!(parse("a,a\n1,2\n").unwrap_err().line, 1);
    }
}
