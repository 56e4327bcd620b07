//! CSV files (RFC 4180): the first line names the columns.

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use super::problem::{FormatError, line_at};
use super::quotes::QuoteScan;
use super::table::Table;

/// Bytes of a file in which its first line is looked for.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// Returns the separator that the first line tells: the comma, unless the line has none and has tabs, semicolons or
/// bars.
pub(super) fn separator_of(head: &[u8]) -> u8 {
    let first_line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut is_quoted = false;
    let mut counts = [(b',', 0_usize), (b'\t', 0), (b';', 0), (b'|', 0)];
    for byte in first_line {
        is_quoted ^= *byte == b'"';
        counts.iter_mut().filter(|(separator, _)| separator == byte && !is_quoted).for_each(|(_, count)| *count += 1);
    }
    let [(comma, commas), others @ ..] = counts;
    let (other, most) = others.into_iter().max_by_key(|(_, count)| *count).unwrap_or((comma, 0));
    if commas == 0 && most > 0 { other } else { comma }
}

/// Parses a file. Cells are kept as they are; names of columns are trimmed, as `name, password` is common. Blank lines
/// are skipped.
pub(super) fn parse(text: &str, separator: u8) -> Result<Table, FormatError> {
    let mut quotes = QuoteScan::new(separator);
    quotes.push(text.as_bytes())?;
    quotes.finish()?;
    let mut reader =
        ReaderBuilder::new().delimiter(separator).flexible(true).trim(Trim::Headers).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| FormatError { line: 1, message: error.to_string() };
    let columns: Vec<_> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    let width = columns.len();
    let mut table = Table::with_columns(columns).map_err(|message| FormatError { line: 1, message })?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        if is_blank(&record) {
            continue;
        }
        if record.len() != width {
            let line = record.position().map_or(1, |at| line_of(text, at));
            return Err(FormatError { line, message: cell_count_message(width, record.len()) });
        }
        table.push(&record);
    }
    Ok(table)
}

/// Returns `true` for a line of blanks alone. It is no row, as in the other formats; the parser itself skips empty
/// lines.
pub(super) fn is_blank(record: &StringRecord) -> bool {
    record.len() == 1 && record.iter().all(|cell| !cell.is_empty() && cell.trim().is_empty())
}

/// Returns the message about a row of another width.
pub(super) fn cell_count_message(expected: usize, found: usize) -> String {
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
        let table = parse("name, note\r\nann,\"a, \"\"b\"\"\nc\"\r\nbob,\r\n", b',').unwrap();
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
            assert_eq!(parse(text, b',').unwrap_err(), FormatError { line, message }, "{case}");
        }
    }

    #[test]
    fn a_header_alone_has_no_rows() {
        assert_eq!(parse("a,b\n", b',').unwrap().rows(), 0);
        assert_eq!(parse("", b',').unwrap().rows(), 0);
    }

    #[test]
    fn a_repeated_column_is_rejected() {
        assert_eq!(parse("a,a\n1,2\n", b',').unwrap_err().line, 1);
    }

    #[test]
    fn lines_of_blanks_are_no_rows() {
        let table = parse("a,b\n1,2\n  \t\n3,4\n \n", b',').unwrap();
        assert_eq!((table.rows(), table.cell(1, 0)), (2, "3"));
        let list = parse("a\n1\n   \n\"\"\n", b',').unwrap();
        assert_eq!((list.rows(), list.cell(1, 0)), (2, ""));
    }

    #[test]
    fn the_first_line_tells_the_separator() {
        for (text, separator) in [
            ("a,b;c\n", b','),
            ("a;b\n1,2;3,4", b';'),
            ("a\tb\r\n", b'\t'),
            ("a|b|c;d", b'|'),
            ("\"a,b\";c", b';'),
            ("a\n1;2", b','),
            ("", b','),
        ] {
            assert_eq!(separator_of(text.as_bytes()), separator, "{text:?}");
        }
        assert_eq!(parse("a;b\n1,5;\"x;y\"\n", b';').unwrap().cell(0, 1), "x;y");
    }
}
