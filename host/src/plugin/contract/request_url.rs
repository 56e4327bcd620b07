//! The URLs of requests: resolved against the script's `base_url`, and granted.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

use url::Url;

use crate::http::RequestTarget;
use crate::net::{self, Grants, Origin, OriginError};

/// The reason why a text is not a usable URL. It does not repeat the text, which may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UrlError {
    /// The URL is relative, and there is no base to resolve it against.
    Relative,
    /// The text is not in the syntax of URLs.
    Malformed(url::ParseError),
    /// The scheme is neither http nor https.
    Scheme,
    /// The URL has a user name or a password.
    UserInfo,
    /// The URL has no usable host.
    Host,
    /// The host is not granted.
    Denied,
    /// The URL is too long for a request.
    Length,
}

impl UrlError {
    /// Returns a message for the user that quotes a text from the script, unless it has user information in it.
    pub(crate) fn describe_quoting(self, text: &str) -> String {
        if text.contains('@') { self.describe("the URL") } else { self.describe(&format!("`{text}`")) }
    }

    /// Returns a message for the user in which `url` stands for the text.
    pub(crate) fn describe(self, url: &str) -> String {
        match self {
            Self::Relative => format!("{url} is relative, and there is no `base_url`"),
            Self::Malformed(error) => format!("{url} is not a URL: {error}"),
            Self::Scheme => format!("{url} is neither http nor https"),
            Self::UserInfo => format!(
                "{url} has a user name or password in it, which would not be sent; \
                 use `auth: {{basic: {{user: ..., password: ...}}}}` or the header `authorization`"
            ),
            Self::Host => format!("{url} names no host"),
            Self::Denied => format!("{url} leads to a host that is not granted"),
            Self::Length => format!("{url} is too long for a request"),
        }
    }
}

/// Parses an absolute URL, or one relative to the script's `base_url`.
///
/// # Errors
/// See [`UrlError`].
pub(crate) fn parse_url(text: &str, base: Option<&Url>) -> Result<Url, UrlError> {
    let text = with_encoded_blanks(text);
    let parsed = match base {
        Some(base) => base.join(&text),
        None => Url::parse(&text),
    };
    let url = parsed.map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => UrlError::Relative,
        other => UrlError::Malformed(other),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme);
    }
    let anonymous = url.username().is_empty() && url.password().is_none();
    if anonymous { Ok(url) } else { Err(UrlError::UserInfo) }
}

/// Returns a URL whose line breaks and tabs, and blanks at either end, are percent-encoded. The parser of URLs would
/// remove them without a word (WHATWG URL, section 4.4).
fn with_encoded_blanks(text: &str) -> Cow<'_, str> {
    let is_trimmed = |character: char| character <= ' ';
    if !text.contains(['\n', '\r', '\t']) && !text.starts_with(is_trimmed) && !text.ends_with(is_trimmed) {
        return Cow::Borrowed(text);
    }
    let inner = text.trim_matches(is_trimmed);
    let start = inner.as_ptr() as usize - text.as_ptr() as usize;
    let mut encoded = String::with_capacity(text.len() + 8);
    for (at, character) in text.char_indices() {
        let is_outside = at < start || at >= start + inner.len();
        if is_outside || matches!(character, '\n' | '\r' | '\t') {
            let _ = write!(encoded, "%{:02X}", u32::from(character));
        } else {
            encoded.push(character);
        }
    }
    Cow::Owned(encoded)
}

/// Returns the part of a URL's fixed beginning that names its origin; `None` if the rendered rest could still change
/// it.
fn origin_of(prefix: &str, has_base: bool) -> Option<&str> {
    match prefix.split_once("://") {
        Some((scheme, rest)) => rest.find(['/', '?']).map(|end| &prefix[..scheme.len() + 3 + end]),
        None => (has_base && prefix.starts_with('/') && !prefix.starts_with("//")).then_some("/"),
    }
}

/// Returns `true` if a URL that begins like this has its origin from there, or from the base: the rendered rest begins
/// within the path or the query.
pub(super) fn names_origin(prefix: &str, has_base: bool) -> bool {
    let delimiter = prefix.find([':', '/', '\\', '?', '#']);
    let is_relative = match delimiter.map(|at| (at, prefix.as_bytes()[at])) {
        Some((at, b'/')) => at > 0,
        Some((_, b'?')) => true,
        _ => false,
    };
    origin_of(prefix, has_base).is_some() || (has_base && is_relative)
}

/// Returns a URL with the origin of a template's fixed beginning; `None` if the rendered rest could change it.
pub(crate) fn known_url(prefix: &str, base: Option<&Url>) -> Option<Url> {
    parse_url(origin_of(prefix, base.is_some())?, base).ok()
}

/// Returns the destination of a request to a URL.
///
/// # Errors
/// It has no usable host, the host is not granted, or it is too long.
pub(crate) fn resolve(url: &Url, grants: &Rc<Grants>) -> Result<RequestTarget, UrlError> {
    let origin = Origin::granted(url, grants).map_err(|none| match none {
        OriginError::Malformed => UrlError::Host,
        OriginError::Denied => UrlError::Denied,
    })?;
    let path = net::target(url).ok_or(UrlError::Length)?;
    Ok(RequestTarget { origin, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_known_only_when_nothing_rendered_can_change_it() {
        for (case, prefix, has_base, expected) in [
            ("host and a path", "https://site/catalog?page=", false, Some("https://site")),
            ("the host is still open", "https://site", false, None),
            ("the port is still open", "https://site:", false, None),
            ("a path under a base", "/catalog/", true, Some("/")),
            ("a path without a base", "/catalog/", false, None),
            ("another host without a scheme", "//cdn/", true, None),
            ("all of it rendered", "", true, None),
        ] {
            assert_eq!(origin_of(prefix, has_base), expected, "{case}");
        }
    }

    #[test]
    fn a_url_names_its_origin_before_a_rendered_part_of_path_or_query() {
        for (prefix, has_base, expected) in [
            ("https://site/", false, true),
            ("https://site?", false, true),
            ("https://site", false, false),
            ("/catalog/", true, true),
            ("/catalog/", false, false),
            ("catalog/", true, true),
            ("catalog?page=", true, true),
            ("?page=", true, true),
            ("catalog", true, false),
            ("http:", true, false),
            ("//", true, false),
            ("\\\\", true, false),
            ("", true, false),
        ] {
            assert_eq!(names_origin(prefix, has_base), expected, "{prefix}");
        }
    }

    #[test]
    fn urls_are_absolute_or_resolved_against_the_base() {
        let base = Url::parse("http://site:8080/app/").unwrap();
        assert_eq!(parse_url("x?y=a b", Some(&base)).unwrap().as_str(), "http://site:8080/app/x?y=a%20b");
        assert_eq!(parse_url("https://other/", Some(&base)).unwrap().as_str(), "https://other/");
        for (text, error) in [
            ("/x", UrlError::Relative),
            ("ftp://site/", UrlError::Scheme),
            ("http://me:s3cret@site/", UrlError::UserInfo),
            ("http://me@site/", UrlError::UserInfo),
            ("http://:s3cret@site/", UrlError::UserInfo),
        ] {
            assert_eq!(parse_url(text, None), Err(error), "{text}");
        }
        assert_eq!(parse_url("//me@site/", Some(&base)), Err(UrlError::UserInfo));
    }

    #[test]
    fn blanks_that_the_parser_removes_are_encoded() {
        let base = Url::parse("http://site/").unwrap();
        for (text, url) in [
            ("/?q=two\nlines\tand\r", "http://site/?q=two%0Alines%09and%0D"),
            ("/?q=padded ", "http://site/?q=padded%20"),
            (" ", "http://site/%20"),
            ("/a b", "http://site/a%20b"),
            ("", "http://site/"),
        ] {
            assert_eq!(parse_url(text, Some(&base)).unwrap().as_str(), url, "{text:?}");
        }
    }

    #[test]
    fn messages_repeat_no_secret() {
        assert_eq!(UrlError::Relative.describe_quoting("/x"), "`/x` is relative, and there is no `base_url`");
        for error in [UrlError::UserInfo, UrlError::Malformed(url::ParseError::InvalidPort)] {
            assert!(!error.describe_quoting("http://me:s3cret@site:x/").contains("s3cret"));
        }
        let shown = parse_url("token s3cret", None).unwrap_err().describe("the rendered URL");
        assert_eq!(shown, "the rendered URL is relative, and there is no `base_url`");
    }
}
