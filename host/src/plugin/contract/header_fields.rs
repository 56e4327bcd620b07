//! Header fields of a guest, checked against HTTP and the limits before they reach a request.

use hyper::header::{HeaderName, HeaderValue};

use super::safe_bytes::RequestPlace;
use crate::http::Field;
use crate::plugin::instance::limits;
use crate::user;

/// Converts names and values to header fields.
///
/// # Errors
/// A message about the first field that HTTP or the host does not allow.
pub(crate) fn header_fields(pairs: &[(String, String)]) -> Result<Vec<Field>, String> {
    check_field_count(pairs.len())?;
    let field = |(name, value): &(String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header name"))?;
        let value = header_value(&name, value)?;
        Ok((name, value))
    };
    pairs.iter().map(field).collect()
}

/// Checks the number of a request's header fields.
///
/// # Errors
/// There are too many.
pub(crate) fn check_field_count(fields: usize) -> Result<(), String> {
    if fields <= user::limits::HEADERS {
        return Ok(());
    }
    Err(format!("{fields} header fields are too many; a request may have {}", user::limits::HEADERS))
}

/// Converts the value of a header field. The error does not repeat the value.
///
/// # Errors
/// It is too long, or HTTP does not allow it.
pub(crate) fn header_value(name: &HeaderName, value: &str) -> Result<HeaderValue, String> {
    check_header_value(name, value)?;
    HeaderValue::from_str(value).map_err(|_| not_allowed(name))
}

/// Checks the value of a header field.
///
/// # Errors
/// See [`header_value`].
pub(super) fn check_header_value(name: &HeaderName, value: &str) -> Result<(), String> {
    if value.len() > limits::HEADER_VALUE {
        return Err(format!("the value of header `{name}` is longer than {} bytes", limits::HEADER_VALUE));
    }
    if RequestPlace::HeaderValue.takes(value) { Ok(()) } else { Err(not_allowed(name)) }
}

/// Returns the message for a value that HTTP does not allow.
pub(super) fn not_allowed(name: &HeaderName) -> String {
    format!("the value of header `{name}` has a character that HTTP does not allow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_header_fields_are_an_error() {
        let fields = |number: usize| (0..number).map(|n| (format!("x-{n}"), "v".to_owned())).collect::<Vec<_>>();
        assert_eq!(header_fields(&fields(user::limits::HEADERS)).map(|fields| fields.len()), Ok(user::limits::HEADERS));
        for number in [user::limits::HEADERS + 1, 25_000, 40_000] {
            let error = header_fields(&fields(number)).unwrap_err();
            assert_eq!(error, format!("{number} header fields are too many; a request may have 256"));
        }
    }

    #[test]
    fn a_rejected_header_value_is_not_repeated() {
        let name = HeaderName::from_static("x-token");
        for (value, message) in [
            ("hunter2\n".to_owned(), "the value of header `x-token` has a character that HTTP does not allow"),
            ("x".repeat(limits::HEADER_VALUE + 1), "the value of header `x-token` is longer than 16384 bytes"),
        ] {
            assert_eq!(header_value(&name, &value).unwrap_err(), message);
        }
    }
}
