//! Maps a place within a text *value* to the place in the script: the template compiler reports "byte 14 of this URL",
//! and the user wants a caret under it. Escapes and folding make that impossible in general. It is exact where the
//! script has the value letter by letter, which is nearly always.

use std::ops::Range;

use super::model::{Node, NodeValue};
use crate::diagnostic::{SourceText, Span};

/// Returns the part of the script from which a byte range of a text value comes. It is exact for plain and quoted text
/// on one line without escapes. Within a block (`|`) it is exact too, cut at the end of the line. Otherwise it is the
/// whole value.
pub fn span_within(source: &SourceText, node: &Node, range: Range<usize>) -> Span {
    let NodeValue::String(value) = &node.value else { return node.span };
    if value.get(range.clone()).is_none() {
        return node.span;
    }
    on_one_line(source, node.span, value, &range)
        .or_else(|| in_block(source, node.span, value, &range))
        .unwrap_or(node.span)
}

/// Returns the range if the value is its own source text, perhaps in quotes.
fn on_one_line(source: &SourceText, span: Span, value: &str, range: &Range<usize>) -> Option<Span> {
    let typed = source.text.get(span.start..span.end)?;
    let begin = match typed.strip_suffix(value) {
        Some("") => span.start,
        _ => [('"', '"'), ('\'', '\'')].iter().find_map(|(open, close)| {
            (typed.strip_prefix(*open)?.strip_suffix(*close)? == value).then_some(span.start + open.len_utf8())
        })?,
    };
    Some(Span { start: begin + range.start, end: begin + range.end })
}

/// Returns the range if the value is a block: each of its lines is the end of a line of the script.
fn in_block(source: &SourceText, span: Span, value: &str, range: &Range<usize>) -> Option<Span> {
    let before = &value[..range.start];
    let line_number = before.matches('\n').count();
    let column = before.rsplit('\n').next().map_or(0, str::len);
    let line = value.split('\n').nth(line_number)?;

    let block_start = source.text[..span.start].rfind('\n').map_or(0, |line_break| line_break + 1);
    let above: usize = source.text[block_start..].split_inclusive('\n').take(line_number).map(str::len).sum();
    let line_start = block_start + above;
    let typed = source.text[line_start..].lines().next()?;
    let indent = typed.strip_suffix(line).filter(|indent| indent.trim_start_matches(' ').is_empty())?;

    let start = line_start + indent.len() + column;
    let end = (start + range.len()).min(line_start + typed.len());
    Some(Span { start, end })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::script::yaml::read;

    /// The source text under the first occurrence of `part` in the value of `a`.
    fn under<'a>(text: &'a str, part: &str) -> &'a str {
        let source = Arc::new(SourceText { name: "a.yml".into(), text: text.into() });
        let root = read(&source).expect("YAML");
        let node = root.pointer("/a").expect("a value");
        let NodeValue::String(value) = &node.value else { panic!("a text") };
        let start = value.find(part).expect("the part");
        let span = span_within(&source, node, start..start + part.len());
        &text[span.start..span.end]
    }

    #[test]
    fn parts_of_values_are_found_in_the_text() {
        for (case, text, part, expected) in [
            ("plain", "a: ☃/{{x}}\n", "{{x}}", "{{x}}"),
            ("single quotes", "a: '{{x}} y'\n", "y", "y"),
            ("double quotes", "a: \"☃{{x}}\"\n", "{{x}}", "{{x}}"),
            ("block", "a: |\n  {\n    {{x}}\n  }\nb: 1\n", "{{x}}", "{{x}}"),
            ("block with windows line ends", "a: |\r\n  {\r\n    {{x}}\r\n  }\r\n", "{{x}}", "{{x}}"),
            ("block, over a line's end", "a: |\n  p {{x\n  }}\n", "{{x\n}}", "{{x"),
            ("block that begins with an empty line", "a: |\n\n  {{x}}\n", "{{x}}", "{{x}}"),
            ("block with an indentation indicator", "a: |2\n    y {{x}}\n", "{{x}}", "{{x}}"),
            ("block that begins with a quote", "a: |-\n  \"{{x}}\"\n", "{{x}}", "{{x}}"),
            ("folded on one line", "a: >\n  y {{x}}\n", "{{x}}", "{{x}}"),
            ("escapes", "a: \"\\t{{x}}\"\n", "{{x}}", "\"\\t{{x}}\""),
            ("doubled quote", "a: 'it''s {{x}}'\n", "{{x}}", "'it''s {{x}}'"),
            ("folded", "a: >\n  y\n  {{x}}\n", "{{x}}", "y\n  {{x}}"),
            ("plain on two lines", "a: y\n  {{x}}\n", "{{x}}", "y\n  {{x}}"),
        ] {
            assert_eq!(under(text, part), expected, "{case}");
        }
    }

    #[test]
    fn a_part_without_a_place_gets_the_span_of_the_whole_value() {
        let source = Arc::new(SourceText { name: "a.yml".into(), text: "[5, ab]".into() });
        let root = read(&source).expect("YAML");
        for (pointer, range) in [("/0", 0..1), ("/1", 1..9)] {
            let node = root.pointer(pointer).expect("an item");
            assert_eq!(span_within(&source, node, range), node.span, "{pointer}");
        }
    }
}
