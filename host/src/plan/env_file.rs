//! The file of `--env-file`: a variable a line, `NAME=VALUE`. A value is the text after `=` as it stands, because
//! passwords, JSON and Windows paths must arrive unchanged: no `$NAME` is replaced, no backslash means anything, and
//! `#` begins a comment only where it begins a line. The one rule for quotes: a value in single or double quotes is
//! what stands between them, over several lines if need be.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span, io_reason};
use crate::script::is_name;

/// Reads the variables of a file in their order.
///
/// # Errors
/// The file cannot be read, or some of its lines set no variable; all of them are reported. No message shows a value,
/// which may be a secret.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Diagnostics> {
    let unreadable = |why: &str| Diagnostic::new("usage::env-file", format!("cannot read `{}`: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| unreadable(&io_reason(&error)))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        unreadable(&format!("line {line} is not valid UTF-8"))
    })?;
    let (variables, errors) = parse(text.strip_prefix('\u{feff}').unwrap_or(&text));
    if errors.is_empty() {
        return Ok(variables);
    }
    Err(Diagnostics(errors.iter().map(|error| error.diagnostic(path)).collect()))
}

/// Returns `true` if every line of a text sets a variable, or is a comment.
pub(crate) fn is_valid(text: &str) -> bool {
    parse(text).1.is_empty()
}

/// A line that sets no variable.
#[derive(Debug, PartialEq, Eq)]
struct EnvLineError {
    /// The line, from 1.
    line: usize,
    /// The beginning of the line that may be shown: a name and what follows it, without any part of a value.
    shown: String,
    kind: EnvLineErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EnvLineErrorKind {
    NoEqualsSign,
    NotAName,
    Unclosed,
    TextAfterQuote,
}

impl EnvLineError {
    fn diagnostic(&self, path: &Path) -> Diagnostic {
        let (message, label, help) = match self.kind {
            EnvLineErrorKind::NoEqualsSign => {
                ("a line is not `NAME=VALUE`", "no `=`", "a value of several lines stands in quotes")
            }
            EnvLineErrorKind::NotAName => (
                "a line does not begin with a name",
                "not a name",
                "use letters, digits, `_`, `-` and `.`, and begin with a letter or `_`",
            ),
            EnvLineErrorKind::Unclosed => {
                ("a quote is never closed", "opened here", "close it, or remove it: a value needs no quotes")
            }
            EnvLineErrorKind::TextAfterQuote => (
                "text follows a value in quotes",
                "opened here",
                "put the whole value in quotes of the other kind, or in none: a value needs no quotes",
            ),
        };
        // The lines before are left empty, so that the line has its number.
        let start = self.line - 1 + self.shown.len();
        let text = format!("{}{}…\n", "\n".repeat(self.line - 1), self.shown);
        let is_quote = matches!(self.kind, EnvLineErrorKind::Unclosed | EnvLineErrorKind::TextAfterQuote);
        let span = if is_quote {
            Span { start: start - 1, end: start }
        } else {
            Span { start, end: start + '…'.len_utf8() }
        };
        let source = Arc::new(SourceText { name: path.display().to_string(), text });
        Diagnostic::new("usage::env-file", message).at(&source, span, label).help(help)
    }
}

/// Parses a file: the variables, and the lines that set none.
fn parse(text: &str) -> (Vec<(String, String)>, Vec<EnvLineError>) {
    let (mut variables, mut errors) = (Vec::new(), Vec::new());
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let first = rest.split('\n').next().unwrap_or_default();
        let mut length = first.len();
        match variable(first.trim_end_matches('\r'), rest) {
            Ok(None) => {}
            Ok(Some((name, value))) => {
                // A value in quotes may go on behind this line.
                let end = value.as_ptr() as usize + value.len() - rest.as_ptr() as usize;
                length = end + rest[end..].find('\n').unwrap_or(rest.len() - end);
                variables.push((name.to_owned(), value.to_owned()));
            }
            Err((shown, kind)) => errors.push(EnvLineError { line, shown: shown.to_owned(), kind }),
        }
        line += rest[..length].matches('\n').count() + 1;
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    (variables, errors)
}

/// Returns the variable of a line, `None` if the line is blank or a comment. `rest` is the text from this line on. The
/// error has the part of the line that may be shown.
fn variable<'t>(line: &'t str, rest: &'t str) -> Result<Option<(&'t str, &'t str)>, (&'t str, EnvLineErrorKind)> {
    let typed = line.trim();
    if typed.is_empty() || typed.starts_with('#') {
        return Ok(None);
    }
    let equals = line.find('=').ok_or(("", EnvLineErrorKind::NoEqualsSign))?;
    let name = line[..equals].trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim_start);
    if !is_name(name) {
        return Err(("", EnvLineErrorKind::NotAName));
    }
    let value = line[equals + 1..].trim();
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        return Ok(Some((name, value)));
    };
    let open = line.len() - line[equals + 1..].trim_start().len();
    let shown = &line[..=open];
    let inner = &rest[open + 1..];
    let close = inner.find(quote).ok_or((shown, EnvLineErrorKind::Unclosed))?;
    let after = inner[close + 1..].split('\n').next().unwrap_or_default();
    if !after.trim().is_empty() {
        return Err((shown, EnvLineErrorKind::TextAfterQuote));
    }
    Ok(Some((name, &inner[..close])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_the_text_as_it_stands() {
        for (line, value) in [
            ("A=pa$$w0rd", "pa$$w0rd"),
            ("A=abc$defgh@jk", "abc$defgh@jk"),
            ("A={\"a\":\"b\"}", "{\"a\":\"b\"}"),
            ("A=x${HOME}y", "x${HOME}y"),
            ("A=two words", "two words"),
            (r"A=C:\temp", r"C:\temp"),
            ("A=ab #cd", "ab #cd"),
            ("A=a=b==", "a=b=="),
            ("A=", ""),
            ("  export A = x \t\r", "x"),
            ("A='abc$def'", "abc$def"),
            (r#"A="a\n'b'" "#, r"a\n'b'"),
            ("A=\"line1\nline2\"\r\n", "line1\nline2"),
            ("A=it's", "it's"),
            ("# B=1\n\n \nA=ü", "ü"),
        ] {
            let (variables, errors) = parse(line);
            assert_eq!((variables, errors), (vec![("A".to_owned(), value.to_owned())], vec![]), "{line:?}");
        }
    }

    #[test]
    fn lines_behind_a_value_of_several_lines_keep_their_numbers() {
        let (variables, errors) = parse("A='1\n\n2'\nnonsense\nmy-key=3\n=4\nB=\"x\nC='a'b\n");
        let names: Vec<_> = variables.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["A", "my-key"]);
        let errors: Vec<_> = errors.iter().map(|error| (error.line, error.shown.as_str(), error.kind)).collect();
        assert_eq!(
            errors,
            [
                (4, "", EnvLineErrorKind::NoEqualsSign),
                (6, "", EnvLineErrorKind::NotAName),
                (7, "B=\"", EnvLineErrorKind::Unclosed),
                (8, "C='", EnvLineErrorKind::TextAfterQuote),
            ]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_message_shows_a_value(text in r#"([A-C=#'" $\\\n\r]|export |s3cret){0,40}"#) {
            let (_, errors) = parse(&text);
            for error in errors {
                let (_, value) = error.shown.split_once('=').unwrap_or_default();
                prop_assert!(!value.contains("s3cret"));
                let _ = error.diagnostic(Path::new("a.env"));
            }
        }

        #[test]
        fn any_value_in_quotes_comes_back(value in "[^']*") {
            let (variables, errors) = parse(&format!("A='{value}'\nB=1"));
            prop_assert_eq!(errors, vec![]);
            prop_assert_eq!(variables, vec![("A".to_owned(), value), ("B".to_owned(), "1".to_owned())]);
        }
    }
}
