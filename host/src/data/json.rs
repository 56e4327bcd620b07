//! JSON files: an array of rows (`.json`), or a row a line (`.ndjson`, `.jsonl`). A row is a scalar, or an object whose
//! keys are the columns, unless the script says at which paths they are.
//!
//! Numbers are kept as written: an id of 20 digits or a price of `1.10` must reach the site unchanged, so values are
//! read as raw text instead of being parsed into numbers.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json_column::JsonColumn;
use super::problem::{FormatError, line_at};
use super::table::{Table, TableBuilder};
use crate::json_text;

/// Parses an array of rows.
pub(super) fn parse_array(text: &str, columns: &[JsonColumn]) -> Result<Table, FormatError> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| array_problem(text, &error))?;
    let mut rows = TableBuilder::default();
    for element in elements {
        push(&mut rows, element.get(), columns)
            .map_err(|message| FormatError { line: line_of(text, element), message })?;
    }
    Ok(rows.finish())
}

/// Parses a row a line. Empty lines are skipped.
pub(super) fn parse_lines(text: &str, columns: &[JsonColumn]) -> Result<Table, FormatError> {
    let mut rows = TableBuilder::default();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let problem = |message| FormatError { line: index + 1, message };
        let row: &RawValue = serde_json::from_str(line).map_err(|error| problem(syntax_message(&error)))?;
        push(&mut rows, row.get(), columns).map_err(problem)?;
    }
    Ok(rows.finish())
}

/// Checks a row of a file that is not kept in memory: adds it and forgets it.
pub(super) fn push_line(rows: &mut TableBuilder, line: &str, columns: &[JsonColumn]) -> Result<(), String> {
    let row: &RawValue = serde_json::from_str(line).map_err(|error| syntax_message(&error))?;
    push(rows, row.get(), columns)?;
    rows.forget_rows();
    Ok(())
}

/// Splits a row that was checked once: appends its cells to `cells` and the range of each to `ranges`. Text behind the
/// row is ignored. `None` if the row has changed.
pub(super) fn split_row(
    bytes: &[u8],
    columns: &[String],
    cells: &mut Vec<u8>,
    ranges: &mut [Option<Range<usize>>],
) -> Option<()> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let row = <&RawValue>::deserialize(&mut json).ok()?.get();
    let mut keep = |value: &str| {
        let start = cells.len();
        append_value(value, cells)?;
        Some(start..cells.len())
    };
    if columns.is_empty() {
        *ranges.first_mut()? = Some(keep(row)?);
        return Some(());
    }
    let mut fields = serde_json::Deserializer::from_str(row);
    let each = |name: &str, value: &RawValue| {
        if let Some(column) = columns.iter().position(|column| column == name) {
            ranges[column] = keep(value.get());
        }
    };
    fields.deserialize_map(ObjectVisitor(each)).ok()
}

/// Appends the text of a value, as [`value_text`] returns it.
fn append_value(json: &str, out: &mut Vec<u8>) -> Option<()> {
    match json.as_bytes().first()? {
        b'"' => serde_json::Deserializer::from_str(json).deserialize_str(StringVisitor(out)).ok()?,
        b'[' | b'{' => out.extend_from_slice(json_text::compact(json).as_bytes()),
        b'n' => {}
        _ => out.extend_from_slice(json.as_bytes()),
    }
    Some(())
}

/// A visitor that appends a decoded string to a buffer.
struct StringVisitor<'a>(&'a mut Vec<u8>);

impl Visitor<'_> for StringVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// A visitor that passes the fields of an object on one by one, as names without escapes and unparsed values.
struct ObjectVisitor<F>(F);

impl<'de, F: FnMut(&str, &'de RawValue)> Visitor<'de> for ObjectVisitor<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(FieldName(name)) = map.next_key()? {
            (self.0)(&name, map.next_value()?);
        }
        Ok(())
    }
}

/// The name of a field, borrowed unless it has escapes.
#[derive(Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns the error for text that is not an array, which may be valid JSON or not.
fn array_problem(text: &str, error: &serde_json::Error) -> FormatError {
    match error.classify() {
        serde_json::error::Category::Data => {
            let start = text.len() - text.trim_start().len();
            FormatError { line: line_at(text, start), message: "expected an array of rows".to_owned() }
        }
        _ => FormatError { line: error.line(), message: syntax_message(error) },
    }
}

/// Rewrites a message of serde_json, which ends with line and column: our line is in front, so only the column stays.
fn syntax_message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    format!("not valid JSON: {reason} (column {})", error.column())
}

/// Returns the line that a value begins in, from 1. The value must be a part of the text.
fn line_of(text: &str, value: &RawValue) -> usize {
    line_at(text, (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
}

/// Adds one row.
fn push(rows: &mut TableBuilder, json: &str, columns: &[JsonColumn]) -> Result<(), String> {
    if !columns.is_empty() {
        let cell = |column: &JsonColumn| column.cell(json.as_bytes()).map(|cell| (column.name.clone(), cell));
        return rows.record(&columns.iter().map(cell).collect::<Result<Vec<_>, _>>()?);
    }
    match json.as_bytes().first() {
        Some(b'{') => {
            let RawFields(fields) = serde_json::from_str(json).map_err(|error| syntax_message(&error))?;
            let cell = |(name, value): (String, &RawValue)| {
                let text = value_text(value.get()).map_err(|message| format!("column `{name}` {message}"));
                text.map(|text| (name, text))
            };
            rows.record(&fields.into_iter().map(cell).collect::<Result<Vec<_>, _>>()?)
        }
        Some(b'n') => Err("a row is `null`".to_owned()),
        Some(b'[') => Err("a row is a list where a single value is expected".to_owned()),
        _ => rows.value(&value_text(json).map_err(|message| format!("a row {message}"))?),
    }
}

/// Returns the text of a value: strings decoded, `null` empty, numbers and booleans as written, lists and objects as
/// written but for the blanks between their tokens.
fn value_text(json: &str) -> Result<String, String> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map_err(|error| format!("is {}", syntax_message(&error))),
        Some(b'[' | b'{') => Ok(json_text::compact(json)),
        Some(b'n') => Ok(String::new()),
        _ => Ok(json.to_owned()),
    }
}

/// An object's fields in their order, repeated names included, values unparsed.
struct RawFields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for RawFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawFieldsVisitor;
        impl<'de> Visitor<'de> for RawFieldsVisitor {
            type Value = RawFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(RawFields(fields))
            }
        }
        deserializer.deserialize_map(RawFieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rows: &[&str]) -> Table {
        rows.iter().copied().collect()
    }

    #[test]
    fn scalars_are_rows_and_numbers_keep_their_digits() {
        let text = r#" ["a\n\u00fc", 1.10, 123456789012345678901234, true, ""] "#;
        assert_eq!(parse_array(text, &[]).unwrap(), list(&["a\nü", "1.10", "123456789012345678901234", "true", ""]));
    }

    #[test]
    fn objects_are_rows_with_columns() {
        let table = parse_array(r#"[{"name": "ann", "age": 7}, {"age": null, "name": "bob"}]"#, &[]).unwrap();
        assert_eq!(table.columns(), ["name", "age"]);
        let cells = [table.cell(0, 0), table.cell(0, 1), table.cell(1, 0), table.cell(1, 1)];
        assert_eq!(cells, ["ann", "7", "bob", ""]);
    }

    #[test]
    fn lines_hold_a_row_each() {
        assert_eq!(parse_lines("\"a\"\r\n\r\n 2 \n", &[]).unwrap(), list(&["a", "2"]));
        assert_eq!(parse_lines("", &[]).unwrap().rows(), 0);
    }

    #[test]
    fn nested_values_are_cells_of_json() {
        let table = parse_array(r#"[{"id": 1, "to": { "city": "Kö\"ln", "at": [1.10, null] }}]"#, &[]).unwrap();
        assert_eq!(table.columns(), ["id", "to"]);
        assert_eq!(table.cell(0, 1), r#"{"city":"Kö\"ln","at":[1.10,null]}"#);
    }

    #[test]
    fn columns_are_where_their_paths_say() {
        let columns = [("city", "$.to.city"), ("first", "$.at[0]"), ("gone", "$.gone"), ("at", "$.at")];
        let columns = columns.map(|(name, path)| JsonColumn::new(name, path).unwrap());
        let text = r#"{"to": {"city": "Köln"}, "at": [ 1.10 ], "gone": null, "more": 1}"#;
        let table = parse_lines(text, &columns).unwrap();
        assert_eq!(table.columns(), ["city", "first", "gone", "at"]);
        let cells: Vec<_> = (0..4).map(|column| table.cell(0, column)).collect();
        assert_eq!(cells, ["Köln", "1.10", "", "[1.10]"]);
        let error = parse_lines(&format!("{text}\n{{\"to\": 1}}"), &columns).unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (2, "column `city`: nothing at `$.to.city`"));
        assert!(JsonColumn::new("city", "to.city").unwrap_err().starts_with("`to.city` is not a JSONPath: "));
    }

    #[test]
    fn other_json_than_a_list_of_rows_is_rejected_with_its_line() {
        let cases = [
            ("no array", "\n{\"a\": 1}", 2, "expected an array of rows"),
            ("no JSON", "[1,\n oops]", 2, "not valid JSON: expected value (column 2)"),
            ("a nested list", "[\n[1]]", 2, "a row is a list where a single value is expected"),
            ("a null row", "[1,\n\nnull]", 3, "a row is `null`"),
            ("a repeated key", "[{\"a\": 1, \"a\": 2}]", 1, "column `a` occurs twice"),
            ("rows of two kinds", "[{\"a\": 1},\n2]", 2, "a plain value among rows with columns"),
        ];
        for (case, text, line, message) in cases {
            assert_eq!(parse_array(text, &[]).unwrap_err(), FormatError { line, message: message.into() }, "{case}");
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        let problem = parse_lines("1\n2 3\n", &[]).unwrap_err();
        assert_eq!(problem, FormatError { line: 2, message: "not valid JSON: trailing characters (column 3)".into() });
    }

    #[test]
    fn an_unfinished_array_is_not_json() {
        let problem = parse_array("[1, 2", &[]).unwrap_err();
        assert_eq!(problem.message, "not valid JSON: EOF while parsing a list (column 5)");
    }
}
