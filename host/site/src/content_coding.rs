//! Replies in a content coding that the client accepts (RFC 9110, sections 8.4 and 12.5.3).

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};

use super::page_outcome::{PageOutcome, json};
use super::page_request::PageRequest;

/// Serves `/gzip`.
pub(crate) fn gzip(ask: &PageRequest<'_>) -> PageOutcome {
    coded_reply(ask, "gzip", &ask.shared.codings.gzip)
}

/// Serves `/deflate`.
pub(crate) fn deflate(ask: &PageRequest<'_>) -> PageOutcome {
    coded_reply(ask, "deflate", &ask.shared.codings.deflate)
}

fn coded_reply(ask: &PageRequest<'_>, coding: &'static str, bytes: &Bytes) -> PageOutcome {
    let offered = ask.header(ACCEPT_ENCODING.as_str()).is_some_and(|field| accepts_coding(field, coding));
    let mut reply = json(StatusCode::OK, if offered { bytes.clone() } else { ask.shared.codings.clear.clone() });
    if offered {
        reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    reply.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    reply.into()
}

/// Returns `true` if the field names the coding, or `*`, with a weight other than 0.
pub(crate) fn accepts_coding(field: &str, coding: &str) -> bool {
    field.split(',').any(|item| {
        let (name, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
        let name = name.trim();
        let weight = parameter.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        (name.eq_ignore_ascii_case(coding) || name == "*") && weight.is_some_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::accepts_coding;

    #[test]
    fn a_coding_is_offered_by_its_name_or_a_star_unless_its_weight_is_zero() {
        for field in ["gzip", "deflate, gzip", "GZIP;q=0.5", "*", "br;q=1, * ; q=0.1"] {
            assert!(accepts_coding(field, "gzip"), "{field}");
        }
        for field in ["", "deflate", "gzip;q=0", "gzip;q=0.000", "gzip2", "gzip;x=1"] {
            assert!(!accepts_coding(field, "gzip"), "{field}");
        }
    }
}
