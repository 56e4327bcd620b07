//! The error of compiling a template.

use crate::diagnostic::Span;

/// Why a text is no template. The first mistake only: what follows one is often its echo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong, in the grammar of a [`Diagnostic`](crate::diagnostic::Diagnostic).
    pub message: String,
    /// How to put it right, if known.
    pub help: Option<String>,
    /// Where, in bytes of the template's source.
    pub span: Span,
}

impl TemplateError {
    /// Says how to put it right.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
