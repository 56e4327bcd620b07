//! Tokens, cookies and redirects of streams that want them: what a site does to keep strangers out, and what a viewer
//! has to carry along. None of it is secure.

use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION, SET_COOKIE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::refusal::Refusal;
use super::request::{Resource, StreamRequest};
use crate::page_outcome::{PageReply, empty};

/// Cookies of a content delivery network, with their values.
const COOKIES: [(&str, &str); 3] = [("cdn-policy", "all"), ("cdn-signature", "valid"), ("cdn-key-pair", "one")];

/// Beginnings and ends of URIs in playlists, except for those that are a line, and in manifests of DASH.
const URI_MARKS: [UriMarks; 4] = [
    UriMarks { begin: "URI=\"", end: '"' },
    UriMarks { begin: " media=\"", end: '"' },
    UriMarks { begin: " initialization=\"", end: '"' },
    UriMarks { begin: "<BaseURL>", end: '<' },
];

/// Characters of the name of a channel that are encoded in a path.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',').remove(b'=');

/// Checks that a viewer may have what it asks for.
///
/// # Errors
/// A token or a cookie is missing or wrong, or the token has expired.
pub(crate) fn check(request: &StreamRequest<'_>) -> Result<(), Refusal> {
    let faults = &request.spec.faults;
    let resource = request.resource();
    if resource == Resource::Entry {
        return Ok(());
    }
    if faults.redirect != 0 {
        return Err(Refusal::not_found("URIs are relative to the place that the redirect led to"));
    }
    if faults.token.is_some() && token(request).is_none_or(|expiry| expiry <= request.wall) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "the token is missing or has expired"));
    }
    let has = |wanted: (&str, &str)| request.page.cookies().any(|cookie| cookie == wanted);
    if faults.cookies && resource == Resource::Media && !COOKIES.into_iter().all(has) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "a cookie is missing"));
    }
    Ok(())
}

/// Returns the redirect to the same stream by its name without that option.
pub(crate) fn redirect(request: &StreamRequest<'_>) -> Option<PageReply> {
    let status = StatusCode::from_u16(request.spec.faults.redirect).ok()?;
    let channel = percent_decode_str(request.channel).decode_utf8_lossy();
    let options: Vec<_> = channel.split(',').filter(|option| !option.starts_with("redirect=")).collect();
    let options = options.join(",");
    let channel = utf8_percent_encode(&options, ENCODED);
    let path = request.page.parts.uri.path();
    let form = path.get(..path.len() - request.page.path_rest().len()).unwrap_or_default();
    let query = request.page.parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut reply = empty(status);
    let location = HeaderValue::try_from(format!("{form}{channel}/{}{query}", request.file)).ok()?;
    reply.headers_mut().insert(LOCATION, location);
    Some(reply)
}

/// The text around a URI.
struct UriMarks {
    begin: &'static str,
    end: char,
}

/// Adds the token to the URIs of a playlist or manifest: a new one to those of the first, the viewer's to others.
pub(crate) fn with_token(request: &StreamRequest<'_>, text: String) -> String {
    let Some(lifetime) = request.spec.faults.token else { return text };
    let expiry = match request.resource() {
        Resource::Entry => request.wall.saturating_add(lifetime),
        _ => token(request).unwrap_or_default(),
    };
    if request.spec.faults.define && request.resource() == Resource::Playlist {
        let defined = text.replacen("#EXTM3U\n", "#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"token\"\n", 1);
        return add_query(&defined, "?token={$token}");
    }
    add_query(&text, &format!("?token={expiry}"))
}

/// Adds a query to all URIs of a playlist or manifest.
fn add_query(text: &str, query: &str) -> String {
    let mut added = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        let mut rest = line;
        while let Some(end) = URI_MARKS.iter().filter_map(|marks| end_of_uri(rest, marks)).min() {
            added.push_str(&rest[..end]);
            added.push_str(query);
            rest = &rest[end..];
        }
        added.push_str(rest);
        if !line.starts_with(['#', '<', ' ']) {
            added.push_str(query);
        }
        added.push('\n');
    }
    added
}

/// Returns the end of the first URI between these marks.
fn end_of_uri(text: &str, marks: &UriMarks) -> Option<usize> {
    let begin = text.find(marks.begin)? + marks.begin.len();
    Some(begin + text[begin..].find(marks.end)?)
}

/// Adds the cookies to the first playlist or manifest of a stream that wants them.
pub(crate) fn add_cookies(request: &StreamRequest<'_>, reply: &mut PageReply) {
    if !request.spec.faults.cookies || request.resource() != Resource::Entry {
        return;
    }
    let path = request.page.parts.uri.path();
    let folder = path.rfind('/').map_or(path, |end| &path[..=end]);
    for (name, value) in COOKIES {
        if let Ok(cookie) = HeaderValue::try_from(format!("{name}={value}; Path={folder}")) {
            reply.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

/// Returns the time at which the token of a request expires.
fn token(request: &StreamRequest<'_>) -> Option<u64> {
    request.page.query_value("token")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_uri_gets_the_query() {
        let playlist = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"1@0\"\n#EXTINF:2.000,\n1.m4s\n";
        let expected = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4?q\",BYTERANGE=\"1@0\"\n#EXTINF:2.000,\n1.m4s?q\n";
        assert_eq!(add_query(playlist, "?q"), expected);
        let manifest = "<MPD>\n <T initialization=\"a/init.mp4\" media=\"a/1\"/>\n <BaseURL>b</BaseURL>\n</MPD>\n";
        let expected =
            "<MPD>\n <T initialization=\"a/init.mp4?q\" media=\"a/1?q\"/>\n <BaseURL>b?q</BaseURL>\n</MPD>\n";
        assert_eq!(add_query(manifest, "?q"), expected);
    }
}
