//! The error of compiling a condition.

use crate::diagnostic::Span;

/// Why a text is no condition: the first mistake.
#[derive(Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// What is wrong, in the grammar of a [`Diagnostic`](crate::diagnostic::Diagnostic).
    pub message: String,
    /// Where, in bytes of the text.
    pub span: Span,
    /// How to put it right, if known.
    pub help: Option<String>,
}
