//! The parsers of replies, for the fuzz targets: see [`crate::fuzzing`].

use bytes::Bytes;
use hyper::http::Method;

use super::header_section::HeaderSection;
use super::{body, cookie_date, http1};

/// The largest content that a target decodes, in bytes.
const MAX_CONTENT: usize = 1 << 20;

/// Parses the head of a reply, and its content in pieces as the head says.
pub(crate) fn reply_head(bytes: &[u8]) {
    for method in [Method::GET, Method::HEAD, Method::CONNECT] {
        http1::fuzz_reply(bytes, &method);
    }
}

/// Decodes content by the codings that the first line names.
pub(crate) fn reply_content(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (codings, content) = bytes.split_at(end);
    let headers = HeaderSection::of_lines(&[b"content-encoding: ", codings, b"\r\n"].concat(), false);
    if let Ok(decoded) = body::decode(&headers, Bytes::copy_from_slice(content), MAX_CONTENT) {
        assert!(decoded.len() <= MAX_CONTENT.max(content.len()), "the limit holds for decoded content");
    }
}

/// Reads the dates of a cookie.
pub(crate) fn cookie(bytes: &[u8]) {
    let _ = cookie_date::with_http_date(&String::from_utf8_lossy(bytes));
}
