//! Text files: a line is a row.

use super::Table;

/// Every line is a row as it stands, blanks included; only the line's end (LF or CRLF) and an empty last line are not.
pub(super) fn parse(text: &str) -> Table {
    text.lines().collect()
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
            ("an empty line in between", "a\n\nb", &["a", "", "b"]),
            ("blanks stay", " a \n", &[" a "]),
        ];
        for (case, text, rows) in cases {
            assert_eq!(parse(text), rows.iter().copied().collect(), "{case}");
        }
    }
}
