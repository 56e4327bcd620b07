//! Values with their places, which everything typed carries until the plan is built.

use crate::diagnostic::Span;

/// A value and its place in the script.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value as typed.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// A YAML value; its parts carry their places.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Any other scalar.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order typed; keys are unique.
    Map(Vec<(Spanned<String>, Node)>),
}

/// A [`NodeValue`] and its place.
pub type Node = Spanned<NodeValue>;

/// A name and a text, such as a header field or a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedText {
    /// The name.
    pub name: Spanned<String>,
    /// The text.
    pub value: Spanned<String>,
}

/// Returns the value of an optional setting without its place.
pub fn value_of<T: Copy>(setting: Option<&Spanned<T>>) -> Option<T> {
    setting.map(|setting| setting.value)
}
