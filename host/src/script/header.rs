//! The header fields that HTTP allows (RFC 9110 section 5). They are checked before the run, on the command line as in
//! the script, so that no request fails for a reason that was known from the start.

use std::fmt;

use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};

/// An error in a header field. It never holds the value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// The name is empty or contains a character that names may not contain.
    Name(String),
    /// The value of the field of that name contains a control character.
    Value(String),
    /// The field of that name frames a request, which its body decides.
    Framing(String),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(formatter, "`{name}` is not a header name"),
            Self::Framing(name) => write!(formatter, "`{name}` {FRAMING}"),
            Self::Value(name) => write!(formatter, "the value of header `{name}` contains a control character"),
        }
    }
}

impl std::error::Error for HeaderError {}

/// The end of the message about a field that frames a request.
pub(crate) const FRAMING: &str = "cannot be set: each request is sent with the length of its body";

/// Returns `true` for fields that tell where the body of a request ends. They are made for each request.
pub(crate) fn is_framing(name: &HeaderName) -> bool {
    *name == CONTENT_LENGTH || *name == TRANSFER_ENCODING
}

/// Checks a field as typed. The value may contain `{{templates}}`; the rendered value is checked again when it is sent.
///
/// # Errors
/// HTTP does not allow the name or the value, or the field is not the script's to set.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), HeaderError> {
    let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else { return Err(HeaderError::Name(name.to_owned())) };
    if is_framing(&parsed) {
        return Err(HeaderError::Framing(name.to_owned()));
    }
    if HeaderValue::from_bytes(value.as_bytes()).is_err() {
        return Err(HeaderError::Value(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_checked_as_http_has_them() {
        assert_eq!(check_header("X-Api-Token", "a {{var t}} ☃"), Ok(()));
        assert_eq!(check_header("x", ""), Ok(()));
        for name in ["", "x y", "x:", "☃"] {
            assert_eq!(check_header(name, "v"), Err(HeaderError::Name(name.into())), "{name}");
        }
        for name in ["Content-Length", "transfer-encoding"] {
            assert_eq!(check_header(name, "1"), Err(HeaderError::Framing(name.into())));
        }
        for value in ["a\nb", "a\r", "\0"] {
            let error = check_header("x", value).expect_err("a control character");
            assert_eq!(error.to_string(), "the value of header `x` contains a control character");
        }
    }
}
