//! Errors and warnings of readers: the line, the problem, and the fix if there is one.

use std::fmt;

/// A reason why a manifest cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// The line, which counts from 1.
    pub line: usize,
    /// The problem.
    pub text: String,
    /// The fix, if there is one.
    pub help: Option<&'static str>,
    /// `true` if a delta update does not fit the playlist before, so that the whole playlist is needed.
    pub needs_whole: bool,
}

/// A value with the warnings that came up while it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct WithWarnings<T> {
    /// The value.
    pub value: T,
    /// Deviations from the format that players bear, in the order of lines.
    pub warnings: Vec<Warning>,
}

/// A deviation from the format that players bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line, which counts from 1.
    pub line: usize,
    /// The problem, and what is done about it.
    pub text: String,
}

impl ManifestError {
    pub(crate) fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into(), help: None, needs_whole: false }
    }

    pub(crate) fn help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)?;
        self.help.map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl std::error::Error for ManifestError {}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}
