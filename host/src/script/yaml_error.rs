//! Errors of the YAML parser, reworded for authors of scripts: the parser says "mapping values are not allowed in this
//! context", but the user needs help about quotes and indentation.

use std::sync::Arc;

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Location, MessageFormatter, UserMessageFormatter};

use crate::diagnostic::{Diagnostic, SourceText, Span};

/// The most parsed items that aliases may add to a document: enough for any honest script, too few for an alias bomb.
pub(super) const MAX_ALIAS_ITEMS: usize = 100_000;
/// The deepest nesting of lists and mappings.
pub(super) const MAX_DEPTH: usize = 64;
/// The label of a tab, whose place is searched for.
const TAB_LABEL: &str = "a tab";

/// Returns the diagnostic for the error that ended the parsing.
pub(super) fn diagnostic(source: &Arc<SourceText>, error: &Error) -> Diagnostic {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let mut span = error_span(&source.text, &location);
    let line = source.text.lines().nth(source.line(span.start) - 1).unwrap_or_default();
    let texts = describe(root_cause(error), line);
    if texts.label == TAB_LABEL {
        span = tab_span(&source.text, span);
    }
    Diagnostic::new(texts.code, texts.message).at(source, span, texts.label).help(texts.help)
}

/// The texts of a diagnostic.
struct YamlErrorText {
    code: &'static str,
    message: String,
    label: &'static str,
    help: String,
}

impl YamlErrorText {
    fn yaml(message: impl Into<String>, label: &'static str, help: impl Into<String>) -> Self {
        Self { code: "script::yaml", message: message.into(), label, help: help.into() }
    }

    fn too_large(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code: "script::too-large",
            message: message.into(),
            label: "the limit is reached here",
            help: help.into(),
        }
    }
}

/// Returns the error without its wrappers, whose context is shown in another way.
fn root_cause(error: &Error) -> &Error {
    match error {
        Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => root_cause(error),
        error => error,
    }
}

/// Describes an error that is recognised by its type.
fn describe(error: &Error, line: &str) -> YamlErrorText {
    match error {
        Error::MultipleDocuments { .. } => YamlErrorText::yaml(
            "the file holds more than one document",
            "the second begins here",
            "a script is one document: remove the `---` between them",
        ),
        Error::UnknownAnchor { .. } => YamlErrorText::yaml(
            "this alias refers to an anchor that is not defined",
            "unknown anchor",
            "define it before with `&name`, or put quotes around a text that begins with `*`",
        ),
        Error::RecursiveReferencesRequireWeakTypes { .. } => YamlErrorText::yaml(
            "this alias is inside the value that it refers to",
            "endless value",
            "put the alias after the value, or write the value out",
        ),
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            YamlErrorText::yaml("`<<` merges mappings only", "not a mapping", "for example `<<: *defaults`")
        }
        // The only type that the parser is asked for is text, for keys.
        Error::Unexpected { .. } | Error::NullIntoString { .. } if begins_with_template(line) => unquoted_template(),
        Error::Unexpected { .. } | Error::NullIntoString { .. } => {
            YamlErrorText::yaml("a key must be text", "not text", "write a word, or put quotes around the key")
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
        Error::Budget { .. } => YamlErrorText::too_large("the script is too large", "keep large data in a file"),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => YamlErrorText::too_large(
            format!("the aliases of this script stand for more than {MAX_ALIAS_ITEMS} values"),
            "use fewer aliases of aliases, and keep large data in a file",
        ),
        error => describe_scanner_error(&UserMessageFormatter.format_message(error), line),
    }
}

/// Describes an error of the scanner, which is recognised by its text; an unknown one is shown as it is.
fn describe_scanner_error(message: &str, line: &str) -> YamlErrorText {
    if message.contains("recursion limit") {
        return too_deep();
    }
    if begins_with_template(line) {
        return unquoted_template();
    }
    if message.contains("tab") {
        return YamlErrorText::yaml("a tab cannot indent a line", TAB_LABEL, "indent with spaces");
    }
    const CAUSES: [(&str, &str); 7] = [
        (
            "mapping values are not allowed",
            "put quotes around a text that holds `: `, and indent keys of a mapping alike",
        ),
        ("unexpected character", "put quotes around a text that begins with this character"),
        ("expected `-` indicator", "indent all keys of a step alike, and begin each step with `- ` in the same column"),
        ("illegal placement", "close the bracket or brace that was opened before"),
        ("unclosed bracket", "close the bracket or brace"),
        ("unclosed quote", "end the text with the same quote"),
        ("escape", "write backslashes twice, or put single quotes around the text"),
    ];
    // Single quotes are apostrophes only in contractions.
    let message = if message.contains("n't") { message.to_owned() } else { message.replace('\'', "`") };
    let help = CAUSES.iter().find(|(part, _)| message.contains(part)).map(|(_, help)| *help);
    let help = help.unwrap_or("look for a missing quote, bracket or space here or on the line before");
    YamlErrorText::yaml(format!("this is not valid YAML: {message}"), "here", help)
}

fn too_deep() -> YamlErrorText {
    YamlErrorText::too_large(
        format!("the script is nested more than {MAX_DEPTH} levels deep"),
        "keep deep data in a file",
    )
}

fn unquoted_template() -> YamlErrorText {
    let message = "a text that begins with `{{` reads as a mapping in braces";
    YamlErrorText::yaml(message, "taken for a mapping", "put quotes around the text: `\"{{…}}…\"`")
}

/// Returns true if a value on this line is a template without quotes, which YAML reads as a mapping in braces.
fn begins_with_template(line: &str) -> bool {
    line.contains(": {{") || line.contains("- {{") || line.trim_start().starts_with("{{")
}

/// Returns the first tab in the indentation of a line, from the line of an error on: the scanner notices tabs late or
/// reports the text before them.
fn tab_span(text: &str, error: Span) -> Span {
    let mut start = text[..error.start].rfind('\n').map_or(0, |line_break| line_break + 1);
    for line in text[start..].split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t') {
            return Span { start: start + tab, end: start + tab + 1 };
        }
        start += line.len();
    }
    error
}

/// Returns the place of an error in bytes. The scanner counts characters only, and may point past the end.
fn error_span(text: &str, location: &Location) -> Span {
    let start = location.span().byte_offset().map_or_else(|| offset(text, location), |offset| offset as usize);
    let start = text.floor_char_boundary(start);
    let length = text[start..].chars().next().filter(|next| *next != '\n').map_or(0, char::len_utf8);
    Span { start, end: start + location.span().byte_len().map_or(length, |length| length as usize) }
}

/// Returns the byte offset of a line and column, both from 1, clamped to the text.
fn offset(text: &str, location: &Location) -> usize {
    let line = (location.line() as usize).saturating_sub(1);
    let column = (location.column() as usize).saturating_sub(1);
    let begin: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    text[begin..].char_indices().nth(column).map_or(text.len(), |(offset, _)| begin + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::yaml::read;

    fn reported(text: &str) -> (String, String) {
        let source = Arc::new(SourceText { name: "a.yml".into(), text: text.into() });
        let mut reported = read(&source).expect_err("no YAML").0;
        let one = reported.remove(0);
        let span = one.location.expect("a place").span;
        (one.message, text[span.start..span.end].to_owned())
    }

    #[test]
    fn places_are_bytes_also_after_other_letters() {
        let (message, at) = reported("☃☃: ☃\nb: ☃☃: c\n");
        assert!(message.ends_with("mapping values are not allowed in this context"), "{message}");
        assert_eq!(at, ":");
        assert_eq!(reported("☃: x\r\nb: *y\r\n").1, "*");
    }

    #[test]
    fn places_past_the_end_are_at_the_end() {
        for text in ["a: 'x", "[", "a: \"☃", "? ", "a: !", "a: &", "a: |\n\tx", "{", "- - -\n -", "%YAML 3\n"] {
            let source = Arc::new(SourceText { name: "a.yml".into(), text: text.into() });
            if let Err(reported) = read(&source) {
                let span = reported.0[0].location.as_ref().expect("a place").span;
                assert!(text.get(span.start..span.end).is_some(), "{text:?} {span:?}");
            }
        }
    }

    #[test]
    fn a_bomb_is_rejected() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let list = vec![format!("*a{}", level - 1); 9].join(", ");
            text += &format!("a{level}: &a{level} [{list}]\n");
        }
        assert_eq!(reported(&text).0, "the aliases of this script stand for more than 100000 values");
        for deep in [100, 10_000] {
            let text = "[".repeat(deep) + &"]".repeat(deep);
            assert_eq!(reported(&text).0, "the script is nested more than 64 levels deep");
        }
    }
}
