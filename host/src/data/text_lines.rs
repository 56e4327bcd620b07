//! Text files: a line is a row.

use super::table::Table;

/// Every line is a row as it stands, blanks in it included, without its end (LF or CRLF). A line of nothing but blanks is
/// no row, as in the other formats: who leaves one in a list of names does not mean a user without a name.
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
