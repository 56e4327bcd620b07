//! A JSON document as a parameter: as a JSON text, or as the YAML that stands for it.

use std::borrow::Cow;
use std::fmt::{self, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::Template;

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
/// In both forms a helper's text is inserted verbatim: a quote or backslash in it is not escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonTemplate(pub Template);

impl<'de> Deserialize<'de> for JsonTemplate {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = source.deserialize_any(Document)?;
        Template::compile(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Reads the whole document: a text stands for itself, any other value is written as JSON.
struct Document;

impl<'de> Visitor<'de> for Document {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON text, a mapping or a list")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<String, A::Error> {
        let mut text = String::new();
        Writer(&mut text).visit_map(map).map(|()| text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<String, A::Error> {
        let mut text = String::new();
        Writer(&mut text).visit_seq(list).map(|()| text)
    }
}

/// Appends a value to a text as JSON while the script is read: no tree is built in between, so the order is the
/// script's.
struct Writer<'a>(&'a mut String);

impl Writer<'_> {
    /// Appends a value that needs no quotes.
    fn plain(self, value: impl fmt::Display) {
        write!(self.0, "{value}").expect("a string takes any text");
    }

    /// Appends a quoted text, escaped except between `{{` and `}}`: `{{pick "movies"}}` must reach the template
    /// compiler as it was typed.
    fn quoted(self, mut text: &str) {
        self.0.push('"');
        while let Some(open) = text.find("{{") {
            let close = text[open..].find("}}").map_or(text.len(), |length| open + length + 2);
            escape(self.0, &text[..open]);
            self.0.push_str(&text[open..close]);
            text = &text[close..];
        }
        escape(self.0, text);
        self.0.push('"');
    }
}

/// Appends a text, escaped as JSON requires (RFC 8259 section 7), without the quotes.
fn escape(into: &mut String, text: &str) {
    let quoted = serde_json::to_string(text).expect("a text is JSON");
    into.push_str(&quoted[1..quoted.len() - 1]);
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.plain("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.plain(value);
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.plain(value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.plain(value);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.plain(serde_json::to_string(&value).map_err(E::custom)?);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.quoted(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.push('[');
        let mut first = true;
        while list.next_element_seed(Item { text: self.0, first })?.is_some() {
            first = false;
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.push('{');
        let mut first = true;
        while let Some(key) = map.next_key::<String>()? {
            if !first {
                self.0.push(',');
            }
            first = false;
            Writer(self.0).quoted(&key);
            self.0.push(':');
            map.next_value_seed(Writer(self.0))?;
        }
        self.0.push('}');
        Ok(())
    }
}

/// An element of a list, after a comma unless it is the first.
struct Item<'a> {
    text: &'a mut String,
    first: bool,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        if !self.first {
            self.text.push(',');
        }
        Writer(self.text).deserialize(source)
    }
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
        serde_json::Deserializer::from_str(json).deserialize_any(Document).expect(json)
    }

    #[test]
    fn a_text_stands_for_itself() {
        assert_eq!(document(r#""{\"a\": {{randInt 1 2}}}""#), r#"{"a": {{randInt 1 2}}}"#);
    }

    #[test]
    fn a_structure_is_written_in_the_order_typed() {
        let json = r#"{"z": [1, -2, 3.5, true, null, {}], "a": {"b": []}}"#;
        assert_eq!(document(json), r#"{"z":[1,-2,3.5,true,null,{}],"a":{"b":[]}}"#);
    }

    #[test]
    fn texts_are_escaped_but_helpers_are_not() {
        let json = r#"{"say \"x\"": "a\"b {{pick \"movies\"}} c\nd {{var t}}"}"#;
        assert_eq!(document(json), r#"{"say \"x\"":"a\"b {{pick "movies"}} c\nd {{var t}}"}"#);
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
