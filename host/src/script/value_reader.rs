//! Typed values out of nodes. Every reader names the key it reads for, so that all messages about types, ranges and
//! units read alike; a value that is wrong is reported and skipped, and reading goes on.

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;

use super::duration::{DurationParseError, missing_unit, parse_duration};
use super::spanned::{Node, NodeValue, Spanned};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span, suggest};

/// A mapping's entries.
pub type Entries = Vec<(Spanned<String>, Node)>;

/// The script's text and what was found wrong with it so far.
pub struct ValueReader {
    /// The text.
    pub source: Arc<SourceText>,
    /// The mistakes, in the order found.
    pub diagnostics: Diagnostics,
}

/// One mistake at a place, by its four texts.
pub struct DiagnosticText<'a> {
    /// Family and name.
    pub code: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// A few words under the caret.
    pub label: &'a str,
    /// How to put it right.
    pub help: &'a str,
}

impl ValueReader {
    /// Remembers a mistake.
    pub fn report(&mut self, span: Span, text: &DiagnosticText<'_>) {
        let diagnostic = Diagnostic::new(text.code, text.message).at(&self.source, span, text.label);
        self.diagnostics.push(diagnostic.help(text.help));
    }

    /// A value of a type that the key does not take. `wanted` ends the sentence "`key` must be …".
    pub fn wrong_type(&mut self, key: &str, node: &Node, wanted: &str, help: &str) {
        self.type_mismatch(&format!("`{key}` must be {wanted}"), node, help);
    }

    /// The same in the caller's words.
    pub fn type_mismatch(&mut self, message: &str, node: &Node, help: &str) {
        self.report(node.span, &DiagnosticText { code: "script::type", message, label: type_name(&node.value), help });
    }

    /// A key that does not exist here. `wanted` are those that do; `place` says where they belong.
    pub fn unknown_key(&mut self, key: &Spanned<String>, place: &str, wanted: &[&str]) {
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

    /// Text. A number or a truth value is taken as it was typed: `name: 404` means the text `404`.
    /// `example` shows what the key may hold.
    pub fn text(&mut self, key: &str, node: Node, example: &str) -> Option<Spanned<String>> {
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

    /// Text that is not empty.
    pub fn non_empty_text(&mut self, key: &str, node: Node, example: &str) -> Option<Spanned<String>> {
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

    /// A whole number of `least` to `most`, which `T` must be able to hold.
    pub fn integer<T: TryFrom<i64>>(&mut self, key: &str, node: &Node, least: i64, most: i64) -> Option<Spanned<T>> {
        let NodeValue::Int(value) = node.value else {
            self.wrong_type(key, node, "a whole number", &format!("for example `{key}: 10`"));
            return None;
        };
        if value < least {
            self.out_of_range(node.span, &format!("`{key}` must be at least {least}"), "too small");
        } else if value > most {
            self.out_of_range(node.span, &format!("`{key}` must be at most {most}"), "too large");
        }
        let value = (least..=most).contains(&value).then(|| T::try_from(value).ok())??;
        Some(Spanned { value, span: node.span })
    }

    /// A number above zero.
    pub fn positive(&mut self, key: &str, node: &Node) -> Option<Spanned<f64>> {
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

    /// A duration of zero or more.
    pub fn duration(&mut self, key: &str, node: &Node) -> Option<Spanned<Duration>> {
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
            Err(DurationParseError { message: what, label, help }) => {
                let message = format!("`{key}` {what}");
                self.report(
                    node.span,
                    &DiagnosticText { code: "script::duration", message: &message, label, help: &help },
                );
                None
            }
        }
    }

    /// A duration above zero.
    pub fn positive_duration(&mut self, key: &str, node: &Node) -> Option<Spanned<Duration>> {
        let duration = self.duration(key, node)?;
        if duration.value.is_zero() {
            self.out_of_range(node.span, &format!("`{key}` must be more than 0"), "too small");
            return None;
        }
        Some(duration)
    }

    /// A duration of at least that long.
    pub fn duration_at_least(&mut self, key: &str, node: &Node, least: Duration) -> Option<Spanned<Duration>> {
        let duration = self.duration(key, node)?;
        if duration.value < least {
            let message = format!("`{key}` must be at least {}", humantime::format_duration(least));
            self.out_of_range(node.span, &message, "too small");
            return None;
        }
        Some(duration)
    }

    /// A size in bytes, of `least` to `most`, with a unit: `64MiB`.
    pub fn size(&mut self, key: &str, node: &Node, least: u64, most: u64) -> Option<Spanned<u64>> {
        let help = format!("for example `{key}: 64MiB`");
        let NodeValue::String(text) = &node.value else {
            self.wrong_type(key, node, "a size with a unit", &help);
            return None;
        };
        let Ok(size) = text.parse::<ByteSize>() else {
            self.wrong_type(key, node, "a size with a unit", &help);
            return None;
        };
        if size.0 < least {
            self.out_of_range(node.span, &format!("`{key}` must be at least {}", ByteSize(least)), "too small");
        } else if size.0 > most {
            self.out_of_range(node.span, &format!("`{key}` must be at most {}", ByteSize(most)), "too large");
        }
        (least..=most).contains(&size.0).then_some(Spanned { value: size.0, span: node.span })
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &str, node: &Node) -> Option<bool> {
        if let NodeValue::Bool(value) = node.value {
            return Some(value);
        }
        self.wrong_type(key, node, "true or false", &format!("for example `{key}: true`"));
        None
    }

    /// A mapping. `help` shows what one looks like.
    pub fn mapping(&mut self, key: &str, node: Node, help: &str) -> Option<Entries> {
        match node.value {
            NodeValue::Map(entries) => Some(entries),
            _ => {
                self.wrong_type(key, &node, "a mapping", help);
                None
            }
        }
    }

    /// A name that templates can use: letters, digits, `_`, `-` and `.`, the first a letter or `_`. `of` says what it
    /// names.
    pub fn check_name(&mut self, of: &str, name: &Spanned<String>) {
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

/// Whether templates can use a text as a bare word.
pub fn is_name(text: &str) -> bool {
    let is_first = |first: char| first.is_ascii_alphabetic() || first == '_';
    let is_part = |part: char| part.is_ascii_alphanumeric() || matches!(part, '_' | '-' | '.');
    text.starts_with(is_first) && text.chars().all(is_part)
}

/// What a value is, for the label under it.
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

/// Names in backticks with commas.
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
