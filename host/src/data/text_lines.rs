//! Text files, in which a line is a row.

use super::table::Table;

/// Parses a file. A row is a line, blanks included, without its end (LF or CRLF). Blank lines are skipped, as in the
/// other formats: one that was left in a list of names does not mean a user without a name.
pub(super) fn parse(text: &str) -> Table {
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lines_are_rows() {
        let cases: [(&str, &str, &[&str]); 6] = [
            ("nothing", "", &[]),
            ("no end of line", "a", &["a"]),
            ("empty last line", "a\nb\n", &["a", "b"]),
            ("CRLF", "a\r\nb\r\n", &["a", "b"]),
            ("blank lines", "\na\n\n \t\nb\n\n", &["a", "b"]),
            ("blanks stay", " a \n", &[" a "]),
        ];
        for (case, text, rows) in cases {
            assert_eq!(parse(text), rows.iter().copied().collect(), "{case}");
        }
    }
}
