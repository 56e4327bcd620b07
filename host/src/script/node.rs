//! Converts a [`Node`] to JSON for a plugin, and looks values up by JSON Pointer (RFC 6901), with which plugins name
//! the values that they reject.

use serde_json::{Map, Number};

use super::spanned::{Node, NodeValue, Spanned};
use crate::diagnostic::Span;

impl Node {
    /// Returns the value as JSON. Keys keep their order.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            NodeValue::Null => serde_json::Value::Null,
            NodeValue::Bool(value) => (*value).into(),
            NodeValue::Int(value) => (*value).into(),
            // Numbers that JSON cannot express were read as text.
            NodeValue::Float(value) => Number::from_f64(*value).map_or(serde_json::Value::Null, Into::into),
            NodeValue::String(value) => value.as_str().into(),
            NodeValue::List(items) => items.iter().map(Self::to_json).collect(),
            NodeValue::Map(entries) => {
                entries.iter().map(|(key, value)| (key.value.clone(), value.to_json())).collect::<Map<_, _>>().into()
            }
        }
    }

    /// Returns the value at a JSON Pointer, which is `""` for this one. `None` if there is none or the pointer is
    /// malformed.
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        tokens(pointer)?.try_fold(self, |node, token| node.child(&token).map(|(_, child)| child))
    }

    /// Returns the place of the key at the end of a JSON Pointer, to underline when the key itself is wrong. `None` if
    /// there is no such key or the pointer ends in an index.
    pub fn key_span(&self, pointer: &str) -> Option<Span> {
        let (parent, last) = pointer.rsplit_once('/')?;
        self.pointer(parent)?.child(&unescaped(last)).and_then(|(key, _)| key).map(|key| key.span)
    }

    /// Returns an entry of a mapping with its key, or an item of a list.
    fn child(&self, token: &str) -> Option<(Option<&Spanned<String>>, &Self)> {
        match &self.value {
            NodeValue::Map(entries) => {
                entries.iter().find(|(key, _)| key.value == token).map(|(key, value)| (Some(key), value))
            }
            NodeValue::List(items) => items.get(token.parse::<usize>().ok()?).map(|item| (None, item)),
            _ => None,
        }
    }
}

/// Returns the tokens of a pointer; `None` if it is malformed.
fn tokens(pointer: &str) -> Option<impl Iterator<Item = String>> {
    let is_absolute = pointer.is_empty() || pointer.starts_with('/');
    is_absolute.then(|| pointer.split('/').skip(1).map(unescaped))
}

/// Decodes a token, in which `~1` stands for `/` and `~0` for `~`.
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceText;
    use crate::script::yaml::read;

    const TEXT: &str = "url: x\nheaders:\n  a/b: 1\n  '~': 2.5\nlist: [true, ~, {k: v}]\n";

    fn node() -> Node {
        read(&Arc::new(SourceText { name: "a.yml".into(), text: TEXT.into() })).expect("YAML")
    }

    #[test]
    fn json_keeps_order_and_types() {
        let json = r#"{"url":"x","headers":{"a/b":1,"~":2.5},"list":[true,null,{"k":"v"}]}"#;
        assert_eq!(node().to_json().to_string(), json);
    }

    #[test]
    fn pointers_lead_to_values_and_keys() {
        let node = node();
        let text = |span: Span| &TEXT[span.start..span.end];
        for (pointer, value, key) in [
            ("", Some("url: x"), None),
            ("/url", Some("x"), Some("url")),
            ("/headers/a~1b", Some("1"), Some("a/b")),
            ("/headers/~0", Some("2.5"), Some("'~'")),
            ("/list/2/k", Some("v"), Some("k")),
            ("/list/1", Some("~"), None),
            ("/list/3", None, None),
            ("/list/-1", None, None),
            ("/url/x", None, None),
            ("/nothing", None, None),
            ("url", None, None),
        ] {
            assert_eq!(node.pointer(pointer).map(|node| text(node.span)), value, "value of {pointer}");
            assert_eq!(node.key_span(pointer).map(text), key, "key of {pointer}");
        }
    }
}
