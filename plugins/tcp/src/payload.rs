//! Bytes written as hexadecimal digits or base64. The plugin `websocket` has this file as a module too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stampede_plugin::{ConfigError, Failure, Task, Template};

/// Bytes to send.
pub enum Payload {
    /// Bytes that are always the same.
    Fixed(Vec<u8>),
    /// What a text stands for, once it has been rendered.
    Decoded(Notation, Template),
}

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// Two hexadecimal digits a byte; white space is ignored.
    Hex,
    /// RFC 4648 section 4, with padding.
    Base64,
}

impl Payload {
    /// Bytes written in some notation. Without helpers in it the text is decoded here and now.
    pub fn decoded(notation: Notation, text: &str) -> Result<Self, ConfigError> {
        if text.contains("{{") {
            return Template::compile(text).map(|template| Self::Decoded(notation, template));
        }
        notation.decode(text).map(Self::Fixed).map_err(ConfigError::new)
    }

    /// The bytes for the task's user.
    pub fn render(&self, task: &Task) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Fixed(bytes) => Ok(bytes.clone()),
            Self::Decoded(notation, template) => notation.decode(&template.render(task)).map_err(Failure::check),
        }
    }
}

impl Notation {
    /// The bytes that a text stands for.
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
