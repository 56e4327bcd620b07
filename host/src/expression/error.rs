//! The error of compiling a condition.

use crate::diagnostic::Span;

/// The reason why a text is not a condition: its first error.
#[derive(Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// The error, in the grammar of a [`Diagnostic`](crate::diagnostic::Diagnostic).
    pub message: String,
    /// Its place, in bytes of the text.
    pub span: Span,
    /// The fix, if known.
    pub help: Option<String>,
}
