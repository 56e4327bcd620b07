//! What is wrong with a step's parameters, in the shape the host shows it.

use std::fmt;

/// A mistake in a step's parameters. The host points at its place in the script.
///
/// As a [`Display`](fmt::Display) it is the message and, on a second line, the help; the SDK takes that apart again. So
/// a hand-written `Deserialize` gives help with `D::Error::custom(ConfigError::new("…").help("…"))`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON Pointer (RFC 6901) to the offending value, such as `/auth/basic/user`; empty for the step as a whole.
    pub pointer: String,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// How to put it right, if that is known.
    pub help: Option<String>,
}

impl ConfigError {
    /// A mistake in the step as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self { pointer: String::new(), message: message.into(), help: None }
    }

    /// Says which value is meant, as a JSON Pointer.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Says how to put it right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The inverse of `Display`; the pointer, which is not in the text, stays empty.
    pub(crate) fn from_text(text: &str) -> Self {
        match text.split_once('\n') {
            Some((message, help)) => Self::new(message).help(help),
            None => Self::new(text),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "\n{help}"))
    }
}

impl std::error::Error for ConfigError {}
