//! The error of compiling a template.

use crate::diagnostic::Span;

/// The reason why a text is not a template: its first error. Those behind it often follow from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The error, in the grammar of a [`Diagnostic`](crate::diagnostic::Diagnostic).
    pub message: String,
    /// The fix, if known.
    pub help: Option<String>,
    /// The place of the error, in bytes of the template's source.
    pub span: Span,
}

impl TemplateError {
    /// Adds the fix.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
