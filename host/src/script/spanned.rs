//! A value with its place, which everything that was typed carries until the plan is made.

use crate::diagnostic::Span;

/// A value and its place in the script.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value as typed.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// Returns the value of an optional setting, without its place.
pub fn value_of<T: Copy>(setting: Option<&Spanned<T>>) -> Option<T> {
    setting.map(|setting| setting.value)
}
