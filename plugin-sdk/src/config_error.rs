//! Errors in a step's parameters, in the shape in which the host shows them.

use std::fmt;

/// An error in a step's parameters. The host points at its place in the script.
///
/// Its [`Display`](fmt::Display) is the message and, on a second line, the help; the SDK splits them again. So a
/// hand-written `Deserialize` gives help with `D::Error::custom(ConfigError::new("…").help("…"))`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON Pointer (RFC 6901) to the offending value, such as `/auth/basic/user`; empty for the step as a whole.
    pub pointer: String,
    /// A description of the error: lower case, no final period, names in backticks.
    pub message: String,
    /// A way to fix it, if one is known.
    pub help: Option<String>,
}

impl ConfigError {
    /// Reports an error in the step as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self { pointer: String::new(), message: message.into(), help: None }
    }

    /// Points at the offending value, with a JSON Pointer.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Adds a way to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Inverts `Display`; the pointer, which is not in the text, stays empty.
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
