//! Bytes written as hexadecimal digits or base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{ConfigError, Failure, Task, Template};

/// Bytes to send, written as text. A text with `{{helpers}}` is decoded each time it has been rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The bytes of a text without helpers, decoded before the run.
    Fixed(Vec<u8>),
    /// A text in a notation, to be rendered and then decoded.
    Decoded(Notation, Template),
}

/// A notation of bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// Two hexadecimal digits a byte; white space is ignored.
    Hex,
    /// RFC 4648 section 4, with padding.
    Base64,
}

impl Payload {
    /// Reads bytes written in a notation. Only within [`Action::configure`](crate::Action::configure).
    ///
    /// # Errors
    /// The text has no helpers and is not in the notation, or its template does not compile.
    pub fn decoded(notation: Notation, text: &str) -> Result<Self, ConfigError> {
        if text.contains("{{") {
            return Template::compile(text).map(|template| Self::Decoded(notation, template));
        }
        notation.decode(text).map(Self::Fixed).map_err(ConfigError::new)
    }

    /// Returns the bytes for the task's user.
    ///
    /// # Errors
    /// The text is not in the notation once it is rendered: a failure of kind [`FailureKind::Check`].
    ///
    /// [`FailureKind::Check`]: crate::FailureKind::Check
    pub fn render(&self, task: &Task) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Fixed(bytes) => Ok(bytes.clone()),
            Self::Decoded(notation, template) => notation.decode(&template.render(task)).map_err(Failure::check),
        }
    }
}

impl Notation {
    /// Decodes a text.
    fn decode(self, text: &str) -> Result<Vec<u8>, String> {
        let digits: String = text.split_ascii_whitespace().collect();
        let (decoded, name) = match self {
            Self::Hex => (hex(digits.as_bytes()), "hexadecimal digits, two a byte"),
            Self::Base64 => (STANDARD.decode(&digits).ok(), "base64"),
        };
        decoded.ok_or_else(|| format!("`{text}` is not {name}"))
    }
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_chunks();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes.filter(|_| rest.is_empty())
}
