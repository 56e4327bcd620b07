//! Writes the parameters of a step as JSON for its plugin. YAML reads `1.10` as the number 1.1 and `0x1F` as 31, but
//! the author of `version: 1.10` meant a text if the parameter takes one. The action's schema decides: where it takes
//! texts, the plugin gets the text as typed; elsewhere numbers keep their typed digits.

use serde_json::Value;

use crate::diagnostic::SourceText;
use crate::script::model::{Node, NodeValue};

/// Maximum depth of references and alternatives in a schema that are followed to a value's types.
const MAX_DEPTH: u32 = 16;

/// Returns parameters as JSON. Keys keep their order. `schema` is that of the action, if it is known.
pub(super) fn params_json(params: &Node, source: &SourceText, schema: Option<&Value>) -> String {
    let mut writer = ParamsWriter { source, root: schema.unwrap_or(&Value::Null), json: String::new() };
    writer.value(params, &writer.subschemas(schema));
    writer.json
}

struct ParamsWriter<'a> {
    source: &'a SourceText,
    /// The whole schema, which `$ref` refers to.
    root: &'a Value,
    json: String,
}

impl<'a> ParamsWriter<'a> {
    /// Appends a value. `schemas` are the alternatives that describe it.
    fn value(&mut self, node: &Node, schemas: &[&'a Value]) {
        match &node.value {
            NodeValue::Null => self.json.push_str("null"),
            NodeValue::Bool(value) => self.scalar(node, schemas, &["boolean"], || value.to_string()),
            NodeValue::Int(value) => self.scalar(node, schemas, &["integer", "number"], || value.to_string()),
            NodeValue::Float(value) => self.scalar(node, schemas, &["number"], || Value::from(*value).to_string()),
            NodeValue::String(text) => self.text(text),
            NodeValue::List(items) => {
                let inner = self.children(schemas, |schema| schema.get("items"));
                self.json.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index);
                    self.value(item, &inner);
                }
                self.json.push(']');
            }
            NodeValue::Map(entries) => {
                self.json.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    self.separate(index);
                    self.text(&key.value);
                    self.json.push(':');
                    let inner = self.children(schemas, |schema| entry_schema(schema, &key.value));
                    self.value(value, &inner);
                }
                self.json.push('}');
            }
        }
    }

    /// Appends a number or truth value as it was typed: as text if its place takes texts, otherwise without quotes if
    /// JSON writes it like that. `types` are the names of its own type in a schema.
    fn scalar(&mut self, node: &Node, schemas: &[&Value], types: &[&str], canonical: impl FnOnce() -> String) {
        let typed = &self.source.text[node.span.start..node.span.end];
        if takes_text(schemas, types) {
            self.text(typed);
        } else if serde_json::from_str::<serde_json::Number>(typed).is_ok() {
            self.json.push_str(typed);
        } else {
            self.json.push_str(&canonical());
        }
    }

    fn text(&mut self, text: &str) {
        self.json.push_str(&Value::from(text).to_string());
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.json.push(',');
        }
    }

    /// Returns the alternatives of the values under `schemas` that `child` selects.
    fn children(&self, schemas: &[&'a Value], child: impl Fn(&'a Value) -> Option<&'a Value>) -> Vec<&'a Value> {
        schemas.iter().flat_map(|schema| self.subschemas(child(schema))).collect()
    }

    /// Returns a schema and all that it refers to or combines.
    fn subschemas(&self, schema: Option<&'a Value>) -> Vec<&'a Value> {
        let mut all = Vec::new();
        if let Some(schema) = schema {
            self.collect(schema, 0, &mut all);
        }
        all
    }

    fn collect(&self, schema: &'a Value, depth: u32, into: &mut Vec<&'a Value>) {
        if depth == MAX_DEPTH || into.len() >= usize::from(u8::MAX) {
            return;
        }
        into.push(schema);
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        let alternatives = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
        let referred = target.and_then(|pointer| self.root.pointer(pointer));
        for inner in referred.into_iter().chain(alternatives.flatten()) {
            self.collect(inner, depth + 1, into);
        }
    }
}

/// Returns the schema of an entry of a mapping.
fn entry_schema<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    schema.get("properties").and_then(|known| known.get(key)).or_else(|| schema.get("additionalProperties"))
}

/// Returns `true` if a scalar of another type is a text here: the place takes texts, and either every scalar, as
/// templates do, or none of the scalar's own type.
fn takes_text(schemas: &[&Value], own: &[&str]) -> bool {
    let takes = |wanted: &[&str]| schemas.iter().any(|schema| names_type(schema, wanted));
    takes(&["string"]) && (!takes(own) || (takes(&["boolean"]) && takes(&["integer", "number"])))
}

/// Returns `true` if a schema names one of the types itself.
fn names_type(schema: &Value, wanted: &[&str]) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => wanted.contains(&name.as_str()),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(|name| wanted.contains(&name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::script::yaml::read;

    fn written(text: &str, schema: Option<&Value>) -> String {
        let source = Arc::new(SourceText { name: "a.yml".into(), text: text.into() });
        params_json(&read(&source).expect("YAML"), &source, schema)
    }

    fn schema() -> Value {
        let text = json!({"type": ["string", "number", "boolean"]});
        json!({
            "properties": {
                "text": text,
                "fields": {"type": "object", "additionalProperties": text},
                "maybe": {"anyOf": [{"$ref": "#/$defs/fields"}, {"type": "null"}]},
                "name": {"type": ["string", "null"]},
                "code": {"type": ["string", "integer"]},
                "count": {"type": "integer"},
                "list": {"type": "array", "items": text},
                "document": {"type": ["string", "object", "array"]},
                "any": {},
            },
            "$defs": {"fields": {"type": "object", "additionalProperties": text}},
        })
    }

    #[test]
    fn a_place_for_texts_gets_them_as_typed() {
        for (typed, json) in [
            ("text: 1.10", r#"{"text":"1.10"}"#),
            ("text: 0x1F", r#"{"text":"0x1F"}"#),
            ("text: True", r#"{"text":"True"}"#),
            ("text: +5", r#"{"text":"+5"}"#),
            ("text: ~", r#"{"text":null}"#),
            ("fields: {a: 1e3, b: 'c'}", r#"{"fields":{"a":"1e3","b":"c"}}"#),
            ("maybe: {a: 100.00}", r#"{"maybe":{"a":"100.00"}}"#),
            ("list: [1.0, [2.0]]", r#"{"list":["1.0",[2.0]]}"#),
            ("name: 1.10", r#"{"name":"1.10"}"#),
            ("name: false", r#"{"name":"false"}"#),
            ("document: 1.10", r#"{"document":"1.10"}"#),
        ] {
            assert_eq!(written(typed, Some(&schema())), json, "{typed}");
        }
    }

    #[test]
    fn other_places_get_numbers_with_the_digits_typed() {
        for (typed, json) in [
            ("code: 5", r#"{"code":5}"#),
            ("code: 1.10", r#"{"code":"1.10"}"#),
            ("count: 0x1F", r#"{"count":31}"#),
            ("count: 1.50", r#"{"count":1.50}"#),
            (
                "document: {a: 1.10, b: [1e3, .5, true, True, 0o17]}",
                r#"{"document":{"a":1.10,"b":[1e3,0.5,true,true,15]}}"#,
            ),
            ("any: 1.10", r#"{"any":1.10}"#),
            ("unknown: 1.10", r#"{"unknown":1.10}"#),
        ] {
            assert_eq!(written(typed, Some(&schema())), json, "{typed}");
        }
        assert_eq!(written("a: [1.10, \"x\\\"\", ~]", None), r#"{"a":[1.10,"x\"",null]}"#);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"$ref": "#", "anyOf": [{"$ref": "#"}, {"$ref": "#"}]});
        assert_eq!(written("a: 1.10", Some(&schema)), r#"{"a":1.10}"#);
    }
}
