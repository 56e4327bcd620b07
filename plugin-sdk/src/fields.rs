//! A mapping of names to templates, as in `headers:` or `query:`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::Template;
use crate::template::TemplateVisitor;

/// Names and templates in the order typed; for header fields, query parameters and forms. A name with a list of values
/// occurs once for each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, Template)>);

impl Fields {
    /// Iterates over names and templates in the order typed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Template)> {
        self.0.iter().map(|(name, template)| (name.as_str(), template))
    }

    /// Returns `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a name that occurs more than once, for parameters in which each has one value.
    pub fn repeated_name(&self) -> Option<&str> {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        names()
            .enumerate()
            .find(|(index, name)| names().take(*index).any(|earlier| earlier == *name))
            .map(|(_, name)| name)
    }

    /// Converts to the type of the contract.
    pub(crate) fn into_raw(self) -> Vec<(String, u32)> {
        self.0.into_iter().map(|(name, template)| (name, template.0)).collect()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(FieldsVisitor)
    }
}

/// Reads a mapping into a list, which keeps the order that a map type would lose.
struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of names to texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, FieldValues(values))) = map.next_entry::<String, FieldValues>()? {
            fields.extend(values.into_iter().map(|value| (name.clone(), value)));
        }
        Ok(Fields(fields))
    }
}

/// The values of a name: a text, or a list of texts.
struct FieldValues(Vec<Template>);

impl<'de> Deserialize<'de> for FieldValues {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(ValuesVisitor)
    }
}

/// Reads the forms without a derive: the messages of an untagged enum would name none of them.
struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = FieldValues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<FieldValues, E> {
        TemplateVisitor.visit_str(text).map(FieldValues::one)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<FieldValues, E> {
        TemplateVisitor.visit_bool(value).map(FieldValues::one)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<FieldValues, E> {
        TemplateVisitor.visit_i64(value).map(FieldValues::one)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<FieldValues, E> {
        TemplateVisitor.visit_u64(value).map(FieldValues::one)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<FieldValues, E> {
        TemplateVisitor.visit_f64(value).map(FieldValues::one)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FieldValues, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        if values.is_empty() {
            Err(A::Error::custom("expected a text or a list of texts, got an empty list"))
        } else {
            Ok(FieldValues(values))
        }
    }
}

impl FieldValues {
    fn one(value: Template) -> Self {
        Self(vec![value])
    }
}

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        "Fields".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Template>();
        // The types that `ValuesVisitor` above reads.
        let values = json_schema!({ "type": ["string", "number", "boolean", "array"], "items": text, "minItems": 1 });
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}
