//! The way in.

use std::sync::Arc;

use super::decode::decode;
use super::model::Script;
use super::yaml::read;
use crate::diagnostic::{Diagnostics, Source};

/// What Windows editors put before a text to say that it is UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a script. All mistakes are found in one go, in the order of their places, except that a text which is not YAML
/// has no further ones. A byte order mark is dropped, so the spans of the result refer to its own
/// [`source`](Script::source).
pub fn parse(source: &Arc<Source>) -> Result<Script, Diagnostics> {
    let source = without_mark(source);
    let root = read(&source)?;
    decode(&source, root)
}

/// The same text without a byte order mark, so that the columns of the first line are right.
fn without_mark(source: &Arc<Source>) -> Arc<Source> {
    match source.text.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => Arc::new(Source { name: source.name.clone(), text: text.to_owned() }),
        None => Arc::clone(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Script {
        parse(&Arc::new(Source { name: "a.yml".into(), text: text.into() })).expect("a script")
    }

    #[test]
    fn a_mark_moves_no_span() {
        let script = parsed("\u{feff}- name: ☃\n");
        let name = &script.steps[0].name;
        assert_eq!(&script.source.text[name.span.start..name.span.end], "☃");
        assert_eq!(name.span.start, 8);
    }

    #[test]
    fn windows_line_ends_are_no_part_of_values() {
        let script = parsed("- name: a\r\n  url: x\r\n  json_body: |\r\n    {\r\n    }\r\n");
        assert_eq!(script.steps[0].name.value, "a");
        let params = script.steps[0].params.to_json();
        assert_eq!(params, serde_json::json!({"url": "x", "json_body": "{\n}\n"}));
    }
}
