//! Reads typed values from nodes. Every function takes the name of the key, so that all messages about types, ranges
//! and units read alike. A wrong value is reported and skipped, and reading continues.

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;

use super::duration::{DurationParseError, missing_unit, parse_duration};
use super::spanned::{NamedText, Node, NodeValue, Spanned};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span, suggest};

/// A mapping's entries.
pub(crate) type Entries = Vec<(Spanned<String>, Node)>;

/// Reads values of one text and collects the errors in it.
pub(crate) struct ValueReader {
    /// The text of the script.
    pub source: Arc<SourceText>,
    /// The errors, in the order found.
    pub diagnostics: Diagnostics,
}

/// The texts of a diagnostic.
pub(crate) struct DiagnosticText<'a> {
    /// The error code.
    pub code: &'static str,
    /// The error in a sentence.
    pub message: &'a str,
    /// A few words, shown under the caret.
    pub label: &'a str,
    /// The way to correct it.
    pub help: &'a str,
}

impl ValueReader {
    /// Reports an error.
    pub(crate) fn report(&mut self, span: Span, text: &DiagnosticText<'_>) {
        let diagnostic = Diagnostic::new(text.code, text.message).at(&self.source, span, text.label);
        self.diagnostics.push(diagnostic.help(text.help));
    }

    /// Reports a value of the wrong type. `wanted` ends the sentence "`key` must be …".
    pub(crate) fn wrong_type(&mut self, key: &str, node: &Node, wanted: &str, help: &str) {
        self.type_mismatch(&format!("`{key}` must be {wanted}"), node, help);
    }

    /// Reports a value of the wrong type with the caller's message.
    pub(crate) fn type_mismatch(&mut self, message: &str, node: &Node, help: &str) {
        self.report(node.span, &DiagnosticText { code: "script::type", message, label: type_name(&node.value), help });
    }

    /// Reports an unknown key. `wanted` are the known keys of `place`.
    pub(crate) fn unknown_key(&mut self, key: &Spanned<String>, place: &str, wanted: &[&str]) {
        let message = format!("`{}` is not a key of {place}", key.value);
        let help = match suggest(&key.value, wanted.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if wanted.len() == 1 => format!("the only key is {}", quoted_list(wanted)),
            None => format!("the keys are {}", quoted_list(wanted)),
        };
        self.report(
            key.span,
            &DiagnosticText { code: "script::unknown-key", message: &message, label: "unknown key", help: &help },
        );
    }

    /// Reads text. A number or a truth value is taken as typed: `name: 404` is the text `404`. `example` is a value for
    /// the help.
    pub(crate) fn text(&mut self, key: &str, node: Node, example: &str) -> Option<Spanned<String>> {
        let value = match node.value {
            NodeValue::String(value) => value,
            NodeValue::Bool(_) | NodeValue::Int(_) | NodeValue::Float(_) => {
                self.source.text[node.span.start..node.span.end].to_owned()
            }
            NodeValue::Null | NodeValue::List(_) | NodeValue::Map(_) => {
                self.wrong_type(key, &node, "text", &format!("for example `{key}: {example}`"));
                return None;
            }
        };
        Some(Spanned { value, span: node.span })
    }

    /// Reads text that is not empty.
    pub(crate) fn non_empty_text(&mut self, key: &str, node: Node, example: &str) -> Option<Spanned<String>> {
        let text = self.text(key, node, example)?;
        if text.value.trim().is_empty() {
            let message = format!("`{key}` must not be empty");
            let help = format!("for example `{key}: {example}`");
            self.report(
                text.span,
                &DiagnosticText { code: "script::type", message: &message, label: "empty", help: &help },
            );
            return None;
        }
        Some(text)
    }

    /// Reads a whole number from `min` to `max`, which must fit in `T`.
    pub(crate) fn integer<T: TryFrom<i64>>(
        &mut self,
        key: &str,
        node: &Node,
        min: i64,
        max: i64,
    ) -> Option<Spanned<T>> {
        let NodeValue::Int(value) = node.value else {
            self.wrong_type(key, node, "a whole number", &format!("for example `{key}: 10`"));
            return None;
        };
        if value < min {
            self.out_of_range(node.span, &format!("`{key}` must be at least {min}"), "too small");
        } else if value > max {
            self.out_of_range(node.span, &format!("`{key}` must be at most {max}"), "too large");
        }
        let value = (min..=max).contains(&value).then(|| T::try_from(value).ok())??;
        Some(Spanned { value, span: node.span })
    }

    /// Reads a number greater than 0.
    pub(crate) fn positive(&mut self, key: &str, node: &Node) -> Option<Spanned<f64>> {
        let value = match node.value {
            NodeValue::Int(value) => value as f64,
            NodeValue::Float(value) => value,
            _ => {
                self.wrong_type(key, node, "a number", &format!("for example `{key}: 0.5`"));
                return None;
            }
        };
        if value <= 0.0 {
            self.out_of_range(node.span, &format!("`{key}` must be more than 0"), "too small");
            return None;
        }
        Some(Spanned { value, span: node.span })
    }

    /// Reads a duration of 0 or more.
    pub(crate) fn duration(&mut self, key: &str, node: &Node) -> Option<Spanned<Duration>> {
        let typed = &self.source.text[node.span.start..node.span.end];
        let read = match &node.value {
            NodeValue::String(text) => parse_duration(text),
            NodeValue::Int(_) | NodeValue::Float(_) if typed.starts_with('-') => parse_duration(typed),
            NodeValue::Int(_) | NodeValue::Float(_) => Err(missing_unit(typed)),
            _ => {
                self.wrong_type(key, node, "a number with a unit", &format!("for example `{key}: 30s`"));
                return None;
            }
        };
        match read {
            Ok(value) => Some(Spanned { value, span: node.span }),
            Err(DurationParseError { message: reason, label, help }) => {
                let message = format!("`{key}` {reason}");
                self.report(
                    node.span,
                    &DiagnosticText { code: "script::duration", message: &message, label, help: &help },
                );
                None
            }
        }
    }

    /// Reads a duration greater than 0.
    pub(crate) fn positive_duration(&mut self, key: &str, node: &Node) -> Option<Spanned<Duration>> {
        let duration = self.duration(key, node)?;
        if duration.value.is_zero() {
            self.out_of_range(node.span, &format!("`{key}` must be more than 0"), "too small");
            return None;
        }
        Some(duration)
    }

    /// Reads a duration of at least `min`.
    pub(crate) fn duration_at_least(&mut self, key: &str, node: &Node, min: Duration) -> Option<Spanned<Duration>> {
        let duration = self.duration(key, node)?;
        if duration.value < min {
            let message = format!("`{key}` must be at least {}", humantime::format_duration(min));
            self.out_of_range(node.span, &message, "too small");
            return None;
        }
        Some(duration)
    }

    /// Reads a size with a unit, such as `64MiB`, from `min` to `max` bytes.
    pub(crate) fn size(&mut self, key: &str, node: &Node, min: u64, max: u64) -> Option<Spanned<u64>> {
        let help = format!("for example `{key}: 64MiB`");
        let NodeValue::String(text) = &node.value else {
            self.wrong_type(key, node, "a size with a unit", &help);
            return None;
        };
        let Ok(size) = text.parse::<ByteSize>() else {
            self.wrong_type(key, node, "a size with a unit", &help);
            return None;
        };
        if size.0 < min {
            self.out_of_range(node.span, &format!("`{key}` must be at least {}", ByteSize(min)), "too small");
        } else if size.0 > max {
            self.out_of_range(node.span, &format!("`{key}` must be at most {}", ByteSize(max)), "too large");
        }
        (min..=max).contains(&size.0).then_some(Spanned { value: size.0, span: node.span })
    }

    /// Reads `true` or `false`.
    pub(crate) fn boolean(&mut self, key: &str, node: &Node) -> Option<bool> {
        if let NodeValue::Bool(value) = node.value {
            return Some(value);
        }
        self.wrong_type(key, node, "true or false", &format!("for example `{key}: true`"));
        None
    }

    /// Reads a mapping of names to texts. `help` gives an example of one.
    pub(crate) fn text_entries(&mut self, key: &str, node: Node, help: &str) -> Vec<NamedText> {
        let entries = self.mapping(key, node, help).unwrap_or_default().into_iter();
        let text = |(name, node): (Spanned<String>, Node)| {
            let value = self.text(&name.value, node, "…")?;
            Some(NamedText { name, value })
        };
        entries.filter_map(text).collect()
    }

    /// Reads a mapping. `help` shows an example.
    pub(crate) fn mapping(&mut self, key: &str, node: Node, help: &str) -> Option<Entries> {
        match node.value {
            NodeValue::Map(entries) => Some(entries),
            _ => {
                self.wrong_type(key, &node, "a mapping", help);
                None
            }
        }
    }

    /// Rejects a name that templates cannot use. `of` is the named thing. Names are letters, digits, `_`, `-` and `.`,
    /// and begin with a letter or `_`.
    pub(crate) fn check_name(&mut self, of: &str, name: &Spanned<String>) {
        if is_name(&name.value) {
            return;
        }
        let message = format!("`{}` cannot be the name of {of}", name.value);
        let help = "use letters, digits, `_`, `-` and `.`, and begin with a letter or `_`";
        self.report(name.span, &DiagnosticText { code: "script::name", message: &message, label: "not a name", help });
    }

    fn out_of_range(&mut self, span: Span, message: &str, label: &str) {
        let diagnostic = Diagnostic::new("script::range", message).at(&self.source, span, label);
        self.diagnostics.push(diagnostic);
    }
}

/// Returns true if templates can use a text as a bare word.
pub fn is_name(text: &str) -> bool {
    let is_first = |first: char| first.is_ascii_alphabetic() || first == '_';
    let is_part = |part: char| part.is_ascii_alphanumeric() || matches!(part, '_' | '-' | '.');
    text.starts_with(is_first) && text.chars().all(is_part)
}

/// Returns the type of a value, for the label under it.
fn type_name(value: &NodeValue) -> &'static str {
    match value {
        NodeValue::Null => "nothing",
        NodeValue::Bool(_) => "true or false",
        NodeValue::Int(_) | NodeValue::Float(_) => "a number",
        NodeValue::String(_) => "text",
        NodeValue::List(_) => "a list",
        NodeValue::Map(_) => "a mapping",
    }
}

/// Returns names in backticks, separated by commas.
fn quoted_list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bare_words() {
        for name in ["movies", "_x", "user-id", "a.b", "A1"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1a", "-a", "a b", "a}}", "ä"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
