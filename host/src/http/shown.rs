//! Heads and contents of an exchange as people read them, rendered again from what the exchange has left behind. The
//! texts may hold secrets, which the caller removes, except for those that are told by the name of a field.

use bytes::Bytes;
use hyper::Version;

use super::body;
use super::client::Client;
use super::http1;
use super::message::{OutgoingRequest, Reply, Request};
use crate::diagnostic::is_secret_name;
use crate::metrics::trace::TraceContext;
use crate::text::without_scheme;

/// The most bytes that encoded content is decoded to.
const MAX_DECODED: usize = 64 * 1024;

/// Content as far as it can be shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ShownContent {
    /// Its beginning; `None` if it is not text, or was not kept.
    pub text: Option<String>,
    /// True if more follows.
    pub is_cut: bool,
}

impl ShownContent {
    /// Returns at most the first `limit` bytes of content. `is_whole` is false if it is only the beginning already.
    pub(crate) fn of(content: &[u8], is_whole: bool, limit: usize) -> Self {
        let shown = &content[..content.len().min(limit)];
        let is_cut = !is_whole || shown.len() < content.len();
        let text = match std::str::from_utf8(shown) {
            Ok(text) => Some(text),
            // The cut may have divided a character.
            Err(error) if is_cut && error.error_len().is_none() => {
                std::str::from_utf8(&shown[..error.valid_up_to()]).ok()
            }
            Err(_) => None,
        };
        let is_text = |text: &&str| !text.contains('\0');
        Self { text: text.filter(is_text).map(str::to_owned), is_cut }
    }
}

/// Renders the head of a request as a user sends it: a line each, without the last line feed. It is that of HTTP/1.1 in
/// any version but for the version's name.
pub(crate) fn request_head(
    client: &Client,
    request: &Request,
    version: Version,
    trace: Option<TraceContext>,
) -> String {
    let cookie = request.sent_cookie.borrow().clone();
    let outgoing =
        OutgoingRequest { request, cookie, user_agent: client.user_agent, is_last: false, trace, link: None };
    let mut bytes = Vec::new();
    http1::write_head(&outgoing, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let first = first.strip_suffix("HTTP/1.1").map_or_else(|| first.to_owned(), |line| format!("{line}{version:?}"));
    let fields = lines.filter_map(|line| line.split_once(": "));
    fields.fold(first, |head, (name, value)| head + &field(name, value))
}

/// Renders the head of a reply in the same form.
pub(crate) fn reply_head(reply: &Reply) -> String {
    let reason = reply.status.canonical_reason().map_or_else(String::new, |reason| format!(" {reason}"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let fields = reply.headers.fields().map(|(name, value)| field(&text(name), &text(value)));
    fields.fold(format!("{:?} {}{reason}", reply.version, reply.status.as_str()), |head, line| head + &line)
}

/// Returns the beginning of a reply's content. `length` is the number of bytes that were transferred.
pub(crate) fn reply_content(reply: &Reply, length: u64, limit: usize) -> ShownContent {
    let content = reply.content(MAX_DECODED);
    if !content.is_empty() || length == 0 {
        return ShownContent::of(&content, true, limit);
    }
    if reply.excerpt.is_empty() {
        return ShownContent { text: None, is_cut: true };
    }
    let is_whole = reply.excerpt.len() as u64 == length;
    if body::codings(&reply.headers).next().is_none() {
        return ShownContent::of(&reply.excerpt, is_whole, limit);
    }
    let decoded = is_whole.then(|| body::decode(&reply.headers, Bytes::clone(&reply.excerpt), MAX_DECODED).ok());
    decoded.flatten().map_or(ShownContent { text: None, is_cut: true }, |text| ShownContent::of(&text, true, limit))
}

/// Renders a field after a line feed, without a value that its name tells to be secret.
fn field(name: &str, value: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let pair = |pair: &str| pair.split_once('=').map_or("***".to_owned(), |(name, _)| format!("{name}=***"));
    let shown = match lower.as_str() {
        "cookie" => value.split("; ").map(pair).collect::<Vec<_>>().join("; "),
        "set-cookie" => {
            let (first, attributes) = value.split_once(';').unwrap_or((value, ""));
            let separator = if attributes.is_empty() { "" } else { ";" };
            format!("{}{separator}{attributes}", pair(first))
        }
        _ if is_secret_name(name) || lower.contains("cookie") || lower.ends_with("-key") => {
            let scheme = &value[..value.len() - without_scheme(value).len()];
            format!("{scheme}***")
        }
        _ => value.to_owned(),
    };
    format!("\n{name}: {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_fields_that_are_secret_by_name_are_hidden() {
        for (name, value, shown) in [
            ("Authorization", "Bearer abc.def", "Bearer ***"),
            ("x-api-key", "abc", "***"),
            ("cookie", "sid=abc; theme=dark", "sid=***; theme=***"),
            ("set-cookie", "sid=abc; Path=/; HttpOnly", "sid=***; Path=/; HttpOnly"),
            ("set-cookie", "sid", "***"),
            ("content-type", "text/html", "text/html"),
        ] {
            assert_eq!(field(name, value), format!("\n{name}: {shown}"));
        }
    }

    #[test]
    fn content_is_cut_at_characters() {
        let of = |content: &[u8], is_whole, limit| {
            let ShownContent { text, is_cut } = ShownContent::of(content, is_whole, limit);
            (text, is_cut)
        };
        assert_eq!(of("héllo".as_bytes(), true, 10), (Some("héllo".to_owned()), false));
        assert_eq!(of("héllo".as_bytes(), true, 2), (Some("h".to_owned()), true));
        assert_eq!(of("hé".as_bytes(), false, 10), (Some("hé".to_owned()), true));
        assert_eq!(of(b"\xff\xfe", true, 10), (None, false));
        assert_eq!(of(b"a\0b", true, 10), (None, false));
        assert_eq!(of(b"", true, 10), (Some(String::new()), false));
    }
}
