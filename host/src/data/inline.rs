//! Rows written in the script itself: a list of scalars, or of mappings whose keys are the columns.

use super::table::{Table, TableBuilder};
use crate::diagnostic::{SourceText, Span};
use crate::script::model::{Node, NodeValue, Spanned};

/// An error, at the smallest value that causes it.
pub(super) type InlineError = Spanned<String>;

/// Parses the rows of a list.
pub(super) fn parse(list: &Node, source: &SourceText) -> Result<Table, InlineError> {
    let NodeValue::List(elements) = &list.value else {
        return Err(diagnostic(list.span, "expected a list of rows"));
    };
    let mut rows = TableBuilder::default();
    for element in elements {
        push(&mut rows, element, source)?;
    }
    Ok(rows.finish())
}

/// Adds one row.
fn push(rows: &mut TableBuilder, row: &Node, source: &SourceText) -> Result<(), InlineError> {
    let result = match &row.value {
        NodeValue::Null => Err("an empty row".to_owned()),
        NodeValue::Map(fields) => {
            let cell = |(name, value): &(Spanned<String>, Node)| Ok((name.value.clone(), cell_text(value, source)?));
            rows.record(&fields.iter().map(cell).collect::<Result<Vec<_>, _>>()?)
        }
        _ => rows.value(&scalar(row, source)?),
    };
    result.map_err(|message| diagnostic(row.span, message))
}

/// Returns the text of a value: a list or a mapping as JSON.
fn cell_text(node: &Node, source: &SourceText) -> Result<String, InlineError> {
    match &node.value {
        NodeValue::List(_) | NodeValue::Map(_) => Ok(node.to_json().to_string()),
        _ => scalar(node, source),
    }
}

/// Returns the text of a scalar; `null` is empty.
fn scalar(node: &Node, source: &SourceText) -> Result<String, InlineError> {
    match &node.value {
        NodeValue::Null => Ok(String::new()),
        NodeValue::Bool(value) => Ok(value.to_string()),
        NodeValue::Int(value) => Ok(as_typed(node.span, source, *value)),
        NodeValue::Float(value) => Ok(as_typed(node.span, source, *value)),
        NodeValue::String(value) => Ok(value.clone()),
        NodeValue::List(_) => Err(diagnostic(node.span, "a list where a single value is expected")),
        NodeValue::Map(_) => Err(diagnostic(node.span, "a mapping where a single value is expected")),
    }
}

/// Returns a number as it was typed, so that `007` and `1.10` reach the site unchanged; or the number itself, if it was
/// typed in another form (an alias, another base).
fn as_typed<N: ToString + PartialEq + std::str::FromStr>(span: Span, source: &SourceText, number: N) -> String {
    let typed = source.text.get(span.start..span.end);
    match typed.filter(|text| text.parse::<N>().is_ok_and(|value| value == number)) {
        Some(text) => text.to_owned(),
        None => number.to_string(),
    }
}

fn diagnostic(span: Span, message: impl Into<String>) -> InlineError {
    Spanned { value: message.into(), span }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(value: NodeValue) -> Node {
        Spanned { value, span: Span { start: 0, end: 4 } }
    }

    fn source(text: &str) -> SourceText {
        SourceText { name: "s.yml".into(), text: text.into() }
    }

    fn one(value: NodeValue, text: &str) -> Result<String, String> {
        let list = node(NodeValue::List(vec![node(value)]));
        match parse(&list, &source(text)) {
            Ok(table) => Ok(table.cell(0, 0).to_owned()),
            Err(error) => Err(error.value),
        }
    }

    #[test]
    fn scalars_render_as_they_were_typed() {
        let cases = [
            ("text", NodeValue::String("ü".into()), "????", "ü"),
            ("a number with leading zeros", NodeValue::Int(7), "0007", "0007"),
            ("a number with trailing zeros", NodeValue::Float(1.1), "1.10", "1.10"),
            ("a number in another base", NodeValue::Int(255), "0xff", "255"),
            ("a number behind an alias", NodeValue::Int(255), "*abc", "255"),
            ("a place outside the text", NodeValue::Float(1.5), "", "1.5"),
            ("a switch", NodeValue::Bool(true), "true", "true"),
        ];
        for (case, value, text, expected) in cases {
            assert_eq!(one(value, text).unwrap(), expected, "{case}");
        }
    }

    #[test]
    fn a_value_that_is_not_a_row_is_rejected() {
        let cases = [
            ("a list", NodeValue::List(vec![]), "a list where a single value is expected"),
            ("nothing", NodeValue::Null, "an empty row"),
            ("an empty mapping", NodeValue::Map(vec![]), "a row without columns"),
        ];
        for (case, value, message) in cases {
            assert_eq!(one(value, "").unwrap_err(), message, "{case}");
        }
        let no_list = parse(&node(NodeValue::Int(1)), &source("1")).unwrap_err();
        assert_eq!(no_list.value, "expected a list of rows");
    }

    #[test]
    fn mappings_are_rows_with_columns() {
        let field = |name: &str, value| (Spanned { value: name.to_owned(), span: Span::default() }, node(value));
        let nested = NodeValue::Map(vec![field("c", NodeValue::List(vec![node(NodeValue::Int(1))]))]);
        let row = [field("a", NodeValue::Null), field("b", NodeValue::String("x".into())), field("n", nested)];
        let row = NodeValue::Map(row.into());
        let table = parse(&node(NodeValue::List(vec![node(row)])), &source("")).unwrap();
        assert_eq!(table.columns(), ["a", "b", "n"]);
        assert_eq!([0, 1, 2].map(|column| table.cell(0, column)), ["", "x", r#"{"c":[1]}"#]);
    }
}
