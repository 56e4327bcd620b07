//! The check of a CSV file's quotes. The parser takes a quote that is never closed for a cell that ends with the file,
//! so that a thousand rows would silently become one.

use super::problem::FormatError;

/// A scan of a CSV file, byte by byte.
pub(super) struct QuoteScan {
    separator: u8,
    place: Place,
    line: usize,
    /// The column of the last byte, in characters from 1.
    column: usize,
    /// Line and column of the last quote that opened a cell.
    opened: (usize, usize),
}

/// The place of a byte in a record.
#[derive(Clone, Copy)]
enum Place {
    CellStart,
    Unquoted,
    Quoted,
    AfterQuote,
}

impl QuoteScan {
    /// Begins the scan of a file whose cells are separated by this byte.
    pub(super) const fn new(separator: u8) -> Self {
        Self { separator, place: Place::CellStart, line: 1, column: 0, opened: (1, 1) }
    }

    /// Scans more bytes of the file.
    ///
    /// # Errors
    /// A cell goes on behind its closing quote.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        for byte in bytes {
            // Bytes that continue a character have no column of their own.
            self.column += usize::from(byte & 0b1100_0000 != 0b1000_0000);
            self.place = match (self.place, *byte) {
                (Place::CellStart, b'"') => {
                    self.opened = (self.line, self.column);
                    Place::Quoted
                }
                (Place::Quoted, b'"') => Place::AfterQuote,
                (Place::AfterQuote, b'"') | (Place::Quoted, _) => Place::Quoted,
                (_, b'\r' | b'\n') => Place::CellStart,
                (_, other) if other == self.separator => Place::CellStart,
                (Place::AfterQuote, b' ' | b'\t') => Place::AfterQuote,
                (Place::AfterQuote, _) => return Err(self.misplaced()),
                (Place::CellStart | Place::Unquoted, _) => Place::Unquoted,
            };
            if *byte == b'\n' {
                (self.line, self.column) = (self.line + 1, 0);
            }
        }
        Ok(())
    }

    /// Ends the scan.
    ///
    /// # Errors
    /// A quote is open.
    pub(super) fn finish(self) -> Result<(), FormatError> {
        let (line, column) = self.opened;
        match self.place {
            Place::Quoted => {
                Err(FormatError { line, message: format!("the quote in column {column} is never closed") })
            }
            Place::CellStart | Place::Unquoted | Place::AfterQuote => Ok(()),
        }
    }

    fn misplaced(&self) -> FormatError {
        let column = self.column;
        let message =
            format!("column {column}: text follows the closing quote of a cell; a quote in it is written twice");
        FormatError { line: self.line, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> Result<(), FormatError> {
        let mut scan = QuoteScan::new(b',');
        scan.push(text.as_bytes())?;
        scan.finish()
    }

    #[test]
    fn closed_quotes_pass() {
        for text in ["", "a,b\n1,\"2\n\"\"3\"\"\"\r\n", "size\n5\" pipe\n", "a\n\"b\" \t\n\"\"\n\"c\""] {
            assert_eq!(scanned(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn a_fault_is_at_its_quote() {
        for (text, line, message) in [
            ("a,b\nü,\"x\n1,2\n3,4\n", 2, "the quote in column 3 is never closed"),
            ("\"", 1, "the quote in column 1 is never closed"),
            (
                "a\n\"b\n\"c\"\n",
                3,
                "column 2: text follows the closing quote of a cell; a quote in it is written twice",
            ),
        ] {
            assert_eq!(scanned(text), Err(FormatError { line, message: message.to_owned() }), "{text:?}");
        }
    }
}
