//! The one form of every error in the input: code, message, place, help. The code that finds an error builds a
//! [`Diagnostic`], and only the commands print one, so every message looks the same and all errors of a file
//! are shown at once.

mod io_reason;
mod literal_secrets;
mod render;
mod secret_names;
mod suggest;

use std::sync::Arc;

use crate::exit::Exit;

pub use io_reason::io_reason;
pub use literal_secrets::hide_literal_secrets;
pub use render::render;
pub(crate) use secret_names::is_secret_name;
pub use suggest::suggest;

/// A text that a user wrote, under the name that they know it by (a path, `-` for standard input, or a flag such as
/// `--data`).
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// Shown after `-->`.
    pub name: String,
    /// The whole text, for the excerpt.
    pub text: String,
}

impl SourceText {
    /// Returns the number of the line that holds a byte, from 1.
    pub fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

/// A range of bytes in a [`SourceText`], `start <= end`, on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// One error and its fix.
///
/// Grammar: lower case, no full stop, names in backticks; the smallest span; the fix only in the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Family and name, such as `script::unknown-key`. The family decides the exit code: `usage` 2, `script` 3,
    /// `plugin` 4, `fleet` 11, any other 1.
    pub code: &'static str,
    /// The error.
    pub message: String,
    /// Its place, if it has one.
    pub location: Option<LabeledSpan>,
    /// The fix, if known.
    pub help: Option<String>,
}

/// The place of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabeledSpan {
    /// The text that contains it.
    pub source: Arc<SourceText>,
    /// The bytes to underline.
    pub span: Span,
    /// A few words under the caret.
    pub label: String,
}

impl Diagnostic {
    /// Creates an error without a place or a fix.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), location: None, help: None }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, source: &Arc<SourceText>, span: Span, label: impl Into<String>) -> Self {
        self.location = Some(LabeledSpan { source: Arc::clone(source), span, label: label.into() });
        self
    }

    /// Adds the fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the exit code of the family.
    fn exit(&self) -> Exit {
        match self.code.split("::").next() {
            Some("usage") => Exit::Usage,
            Some("script" | "cases") => Exit::Script,
            Some("plugin") => Exit::Plugin,
            Some("fleet") => Exit::FleetFailed,
            _ => Exit::Internal,
        }
    }
}

/// All errors found so far. Parser and planner collect as many as they can before they give up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds an error.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds the errors of a failed result, or returns its value.
    pub fn absorb<T>(&mut self, result: Result<T, Diagnostics>) -> Option<T> {
        result.map_err(|more| self.0.extend(more.0)).ok()
    }

    /// Returns the exit code for these errors: that of the family that is checked first, since its errors may have
    /// caused the others. [`Exit::Success`] if there are none; [`Exit::Internal`] for a family that has no exit code.
    pub fn exit(&self) -> Exit {
        self.0.iter().map(Diagnostic::exit).min().unwrap_or(Exit::Success)
    }

    /// Returns the value if there are no errors.
    ///
    /// # Errors
    /// Returns the errors.
    pub fn into_result<T>(self, value: T) -> Result<T, Diagnostics> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let source = SourceText { name: "a.yml".into(), text: "a\nb\r\nc".into() };
        assert_eq!([0, 1, 2, 4, 5, 99].map(|offset| source.line(offset)), [1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn the_family_checked_first_decides_the_exit_code() {
        let all = |codes: &[&'static str]| Diagnostics(codes.iter().map(|code| Diagnostic::new(code, "m")).collect());
        assert_eq!(all(&[]).exit(), Exit::Success);
        assert_eq!(all(&["plugin::missing"]).exit(), Exit::Plugin);
        assert_eq!(all(&["plugin::missing", "script::type"]).exit(), Exit::Script);
        assert_eq!(all(&["script::type", "usage::no-script"]).exit(), Exit::Usage);
        assert_eq!(all(&["bug"]).exit(), Exit::Internal);
    }
}
