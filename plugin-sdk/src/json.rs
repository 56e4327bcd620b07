//! A JSON document as a parameter: as a JSON text, or as the YAML that stands for it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny};
use serde_json::value::RawValue;

use crate::{ConfigError, Template};

/// A template that renders to JSON. In a script it is either the JSON text itself,
///
/// ```yaml
/// json_body: |
///   {"movie_id": "{{pick movies}}"}
/// ```
///
/// or a mapping or list, whose texts may hold helpers and which is written as JSON in the order typed:
///
/// ```yaml
/// json_body: {movie_id: "{{pick movies}}"}
/// ```
///
/// In a mapping or list what a helper renders is escaped, so that the document is JSON whatever it is. In a text it is
/// inserted verbatim: a quote or backslash in it is not escaped. A text that is not JSON whatever its helpers render is
/// rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonTemplate(pub Template);

impl<'de> Deserialize<'de> for JsonTemplate {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let document: Box<RawValue> = Deserialize::deserialize(source)?;
        let text = template_text(document.get()).map_err(D::Error::custom)?;
        Template::compile(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Returns the template of a document: a text stands for itself, a mapping or list for its JSON.
fn template_text(document: &str) -> Result<String, ConfigError> {
    match document.as_bytes() {
        [b'"', ..] => {
            let text = unquoted(document);
            check_beginning(&text)?;
            Ok(text)
        }
        [b'{' | b'[', ..] => Ok(written(document)),
        b"null" => Err(ConfigError::new("expected a JSON text, a mapping or a list, got nothing")),
        _ => Err(ConfigError::new(format!("expected a JSON text, a mapping or a list, got `{document}`"))),
    }
}

/// Rejects a text that is not JSON whatever its helpers render: up to the first of them it must begin a document, and
/// without any it must be one.
fn check_beginning(text: &str) -> Result<(), ConfigError> {
    let helpers = first_call(text);
    let known = helpers.map_or(text, |at| &text[..at]).replace("{{{{", "{{");
    let Err(error) = serde_json::from_str::<IgnoredAny>(&known) else { return Ok(()) };
    // Whatever is missing at the end, or looks wrong there, may be rendered.
    let is_open = |error: &serde_json::Error| error.is_eof() || place(&known, error) >= known.len();
    if helpers.is_some() && is_open(&error) {
        return Ok(());
    }
    let (line, column) = (error.line(), error.column());
    let reason = error.to_string().replace("EOF while parsing", "it ends within");
    let reason = reason.trim_end_matches(&format!(" at line {line} column {column}"));
    Err(ConfigError::new(format!("this is not JSON: line {line}, column {column}: {reason}")))
}

/// Returns the place of the first helper in a text; `{{{{` is none.
fn first_call(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text[at..].find("{{")?;
        if !text[at..].starts_with("{{{{") {
            return Some(at);
        }
        at += 4;
    }
}

/// Returns the byte of a text at which an error was found.
fn place(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
}

/// Writes a mapping or list as JSON: in the order typed, numbers with the digits typed, and its texts, keys included,
/// as templates. No tree is built in between, which would lose both.
fn written(document: &str) -> String {
    compact(document, |string, into| push_quoted(&unquoted(string), into))
}

/// Writes a JSON text without blanks between its tokens. `push_string` appends a string, which it gets with its quotes.
pub(crate) fn compact(json: &str, push_string: impl Fn(&str, &mut String)) -> String {
    let (mut text, mut rest) = (String::new(), json);
    while let Some(quote) = rest.find('"') {
        let end = quote + string_length(&rest[quote..]);
        text.extend(rest[..quote].split_ascii_whitespace());
        push_string(&rest[quote..end], &mut text);
        rest = &rest[end..];
    }
    text.extend(rest.split_ascii_whitespace());
    text
}

/// Returns the length of the JSON string that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Decodes a JSON string.
fn unquoted(string: &str) -> String {
    serde_json::from_str(string).expect("it is a string of a JSON document")
}

/// Appends a quoted text, escaped except between `{{` and `}}`: `{{pick "movies"}}` must reach the template compiler as
/// it was typed, and what it renders is escaped then.
fn push_quoted(mut text: &str, into: &mut String) {
    into.push('"');
    while let Some(open) = text.find("{{") {
        push_escaped(&text[..open], into);
        let length = call_length(&text[open..]);
        match text[open..open + length].strip_prefix("{{").and_then(|call| call.strip_suffix("}}")) {
            Some(call) if !call.trim().is_empty() => into.extend(["{{jsonEscape (", call.trim(), ")}}"]),
            // Two braces that stand for themselves, or an error that the compiler reports.
            _ => into.push_str(&text[open..open + length]),
        }
        text = &text[open + length..];
    }
    push_escaped(text, into);
    into.push('"');
}

/// Returns the length of the `{{…}}` that a text begins with: of `{{{{` 4 bytes, of one without end the whole text.
fn call_length(text: &str) -> usize {
    if text.starts_with("{{{{") {
        return 4;
    }
    let (mut quote, mut rest) = (None, text.char_indices().skip(2));
    while let Some((at, character)) = rest.next() {
        match (quote, character) {
            (None, '}') if text[at..].starts_with("}}") => return at + 2,
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            // The next character does not end the quoted text.
            (Some(_), '\\') => drop(rest.next()),
            _ => {}
        }
    }
    text.len()
}

/// Appends a text, escaped as JSON requires (RFC 8259 section 7), without the quotes.
fn push_escaped(text: &str, into: &mut String) {
    let quoted = serde_json::to_string(text).expect("a text is JSON");
    into.push_str(&quoted[1..quoted.len() - 1]);
}

impl JsonSchema for JsonTemplate {
    fn schema_name() -> Cow<'static, str> {
        "JsonTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "object", "array"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(json: &str) -> String {
        template_text(json).expect(json)
    }

    #[test]
    fn a_text_stands_for_itself() {
        assert_eq!(document(r#""{\"a\": {{randInt 1 2}}}""#), r#"{"a": {{randInt 1 2}}}"#);
    }

    #[test]
    fn a_structure_is_written_in_the_order_typed() {
        let json = r#"{"z": [1, -2, 3.50, 1e3, true, null, {}], "a": {"b": []}, "\\": "\\\""}"#;
        assert_eq!(document(json), r#"{"z":[1,-2,3.50,1e3,true,null,{}],"a":{"b":[]},"\\":"\\\""}"#);
    }

    #[test]
    fn texts_are_escaped_but_helpers_are_not() {
        let json = r#"{"say \"x\"": "a\"b {{pick \"movies\"}} c\nd {{ var t }}", "{{userId}}": "{{{{x}}"}"#;
        let text = r#"{"say \"x\"":"a\"b {{jsonEscape (pick "movies")}} c\nd {{jsonEscape (var t)}}","{{jsonEscape (userId)}}":"{{{{x}}"}"#;
        assert_eq!(document(json), text);
    }

    #[test]
    fn braces_in_an_argument_do_not_end_a_helper() {
        let json = r#"["{{json '}}'}} {{json \"\\\"}}\"}}"]"#;
        assert_eq!(document(json), r#"["{{jsonEscape (json '}}')}} {{jsonEscape (json "\"}}")}}"]"#);
    }

    #[test]
    fn a_text_that_cannot_become_json_is_rejected() {
        for (text, message) in [
            (r#"{"a": 1,}"#, "this is not JSON: line 1, column 9: key must be a string"),
            ("{\n  'a': 1}", "this is not JSON: line 2, column 3: key must be a string"),
            ("", "this is not JSON: line 1, column 0: it ends within a value"),
            (r#"{"a": 1"#, "this is not JSON: line 1, column 7: it ends within an object"),
            (r#"{"a" 1, "b": "{{uuid}}"}"#, "this is not JSON: line 1, column 6: expected `:`"),
            ("{{{{", "this is not JSON: line 1, column 2: key must be a string"),
        ] {
            let json = serde_json::to_string(text).expect("JSON");
            assert_eq!(template_text(&json).expect_err(text).message, message, "{text}");
        }
    }

    #[test]
    fn a_text_that_may_become_json_passes() {
        for text in [
            r#"{"a": {{randInt 1 2}}}"#,
            r#"{"a": -{{randInt 1 2}}, }"#,
            r#"{"a": 1.{{randInt 1 2}}}"#,
            r#"{"a": "{{{{ {{uuid}}"#,
            r#"{"a": {{json (var x)}}"#,
            "{{var body}}",
            "[1]{{var rest}}",
            r#"["{{{{{{uuid}}"]"#,
        ] {
            assert!(template_text(&serde_json::to_string(text).expect("JSON")).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_unclosed_helper_reaches_the_compiler() {
        assert_eq!(document(r#"["a {{ b"]"#), r#"["a {{ b"]"#);
    }

    #[test]
    fn a_number_alone_is_not_a_document() {
        let error = crate::parameters::parse::parse::<JsonTemplate>("5").expect_err("no document");
        assert_eq!(error.message, "expected a JSON text, a mapping or a list, got `5`");
    }
}
