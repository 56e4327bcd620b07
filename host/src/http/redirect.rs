//! The next request after a redirect (RFC 9110 section 15.4), as a pure function. Each hop is an exchange of its own,
//! with a sample of its own; the caller counts the hops.

use std::rc::Rc;

use hyper::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_LOCATION, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA, RANGE, USER_AGENT,
};
use hyper::{Method, StatusCode};
use percent_encoding::{AsciiSet, percent_encode};
use url::Url;

use super::message::{Reply, Request};
use crate::net::{self, Failure, Grants, Origin, OriginError, not_granted};

/// No character of ASCII: only the bytes above it are percent-encoded.
const ABOVE_ASCII: &AsciiSet = &AsciiSet::EMPTY;

/// Fields that describe content, and are dropped with it.
const OF_CONTENT: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION];

/// Fields that are sent on to another origin. Any other may be a credential, whatever its name, or meant for one origin
/// only.
const FOR_ANYONE: [HeaderName; 11] = [
    ACCEPT,
    ACCEPT_CHARSET,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_TYPE,
    PRAGMA,
    RANGE,
    USER_AGENT,
];

/// Returns the request that follows `sent` after this reply; `None` if the reply does not redirect. 301, 302, 303, 307
/// and 308 with a `location` do.
///
/// After 303, and after 301 and 302 to a POST, the next request is a GET without content (a HEAD stays a HEAD). On the
/// way to another origin only fields that cannot be credentials are kept, unless `is_secret` says so of their values.
///
/// # Errors
/// The location is malformed, is neither http nor https, or is not granted.
pub(crate) fn next(
    sent: &Request,
    reply: &Reply,
    is_secret: impl Fn(&HeaderValue) -> bool,
    grants: &Rc<Grants>,
) -> Result<Option<Request>, Failure> {
    let Some(url) = location(sent, reply)? else { return Ok(None) };
    let elsewhere = || Failure::protocol("redirect to something other than http or https");
    let target = net::target(&url).ok_or_else(elsewhere)?;
    let origin = Origin::granted(&url, grants).map_err(|none| match none {
        OriginError::Malformed => elsewhere(),
        OriginError::Denied => Failure::network(format!("redirect to {}", not_granted(&url))),
    })?;
    let mut request = Request { target, sent_cookie: Default::default(), ..sent.clone() };
    if becomes_get(reply.status, &sent.method) {
        request.method = Method::GET;
        request.body = Default::default();
        request.headers.retain(|(name, _)| !OF_CONTENT.contains(name));
    }
    if !net::same_origin(&origin, &sent.origin) {
        request.headers.retain(|(name, value)| FOR_ANYONE.contains(name) && !is_secret(value));
        request.origin = origin;
    }
    Ok(Some(request))
}

/// Returns the URL that the reply redirects to.
fn location(sent: &Request, reply: &Reply) -> Result<Option<Url>, Failure> {
    let redirects = matches!(reply.status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = reply.headers.get("location").filter(|_| redirects) else { return Ok(None) };
    // The bytes above ASCII are sent as they came, whatever their character set.
    let location = percent_encode(location, ABOVE_ASCII).to_string();
    let base = sent.origin.url(&sent.target);
    let url = base.and_then(|base| base.join(&location).ok());
    url.map(Some).ok_or_else(|| Failure::protocol("malformed reply: invalid location"))
}

fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::header::{AUTHORIZATION, COOKIE, HOST};

    use super::super::Decoding;
    use super::super::body_budget::BudgetPart;
    use super::*;
    use crate::net::Version;

    const TOKEN: HeaderName = HeaderName::from_static("x-token");
    const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

    fn request(method: &Method) -> Request {
        let url = Url::parse("http://site/dir/page?query").unwrap();
        let names = [ACCEPT, AUTHORIZATION, COOKIE, HOST, CONTENT_TYPE, TOKEN, API_KEY, ACCEPT_LANGUAGE];
        let fields = names.into_iter().map(|name| (name, "x")).chain([(USER_AGENT, "s3cret")]);
        Request {
            method: method.clone(),
            origin: Origin::of(&url).unwrap(),
            target: net::target(&url).unwrap(),
            headers: fields.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect(),
            body: Bytes::from_static(b"content"),
            version: Version::Negotiate,
            keep_body: None,
            optional_body: None,
            decode: false,
            decoding: Decoding::AtOnce,
            takes_fingerprint: false,
            sent_cookie: Default::default(),
            channel: None,
        }
    }

    fn reply(status: u16, location: Option<&[u8]>) -> Reply {
        let location = location.map(|location| ("location", location));
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            version: hyper::Version::HTTP_11,
            headers: location.into_iter().collect(),
            body: Bytes::new(),
            excerpt: Bytes::new(),
            fingerprint: 0,
            is_encoded: false,
            is_deferred: false,
            held: BudgetPart::default(),
        }
    }

    fn follow(method: &Method, status: u16, location: Option<&str>) -> Result<Option<Request>, Failure> {
        let location = location.map(str::as_bytes);
        next(&request(method), &reply(status, location), |value| value == "s3cret", &Rc::new(Grants::unrestricted()))
    }

    #[test]
    fn the_status_decides_about_method_and_content() {
        let (get, head, post, put) = (Method::GET, Method::HEAD, Method::POST, Method::PUT);
        for (status, before, after, with_content) in [
            (301, &get, &get, true),
            (301, &post, &get, false),
            (302, &post, &get, false),
            (302, &put, &put, true),
            (303, &post, &get, false),
            (303, &put, &get, false),
            (303, &head, &head, true),
            (307, &post, &post, true),
            (308, &post, &post, true),
        ] {
            let next = follow(before, status, Some("/next")).unwrap().unwrap();
            assert_eq!(next.method, after, "{status} to {before}");
            assert_eq!(!next.body.is_empty(), with_content, "{status} to {before}");
            assert_eq!(next.headers.contains(&CONTENT_TYPE), with_content, "{status} to {before}");
        }
    }

    #[test]
    fn other_replies_do_not_redirect() {
        for (case, status, location) in [
            ("success", 200, Some("/next")),
            ("created", 201, Some("/next")),
            ("a choice", 300, Some("/next")),
            ("not modified", 304, Some("/next")),
            ("unused", 306, Some("/next")),
            ("no location", 302, None),
        ] {
            assert!(follow(&Method::GET, status, location).unwrap().is_none(), "{case}");
        }
    }

    #[test]
    fn the_location_is_resolved_against_the_request() {
        for (case, location, url) in [
            ("a path", "/next", "http://site/next"),
            ("a neighbour", "next", "http://site/dir/next"),
            ("another query", "?other", "http://site/dir/page?other"),
            ("another host", "//other/next", "http://other/next"),
            ("another scheme", "https://site/next#part", "https://site/next"),
            ("nothing", "", "http://site/dir/page?query"),
        ] {
            let next = follow(&Method::GET, 302, Some(location)).unwrap().unwrap();
            assert_eq!(next.origin.url(&next.target).unwrap().as_str(), url, "{case}");
        }
    }

    #[test]
    fn bytes_above_ascii_are_followed_as_they_came() {
        for (case, location, url) in [
            ("Latin-1", &b"/caf\xe9?n=\xfc"[..], "http://site/caf%E9?n=%FC"),
            ("UTF-8", "/café".as_bytes(), "http://site/caf%C3%A9"),
            ("a host in UTF-8", "//bücher.example/".as_bytes(), "http://xn--bcher-kva.example/"),
            ("encoded already", b"/caf%e9", "http://site/caf%e9"),
        ] {
            let sent = request(&Method::GET);
            let next = next(&sent, &reply(302, Some(location)), |_| false, &Rc::new(Grants::unrestricted()));
            let next = next.unwrap().unwrap();
            assert_eq!(next.origin.url(&next.target).unwrap().as_str(), url, "{case}");
        }
    }

    #[test]
    fn secrets_stay_with_their_origin() {
        for (case, location, kept) in [
            ("the same origin", "/next", true),
            ("the same, in full", "http://site:80/next", true),
            ("another port", "http://site:81/next", false),
            ("another scheme", "https://site/next", false),
            ("a subdomain", "http://www.site/next", false),
        ] {
            let next = follow(&Method::GET, 307, Some(location)).unwrap().unwrap();
            for name in [AUTHORIZATION, COOKIE, HOST, TOKEN, API_KEY, USER_AGENT] {
                assert_eq!(next.headers.contains(&name), kept, "{case}: {name}");
            }
            for name in [ACCEPT, CONTENT_TYPE, ACCEPT_LANGUAGE] {
                assert!(next.headers.contains(&name), "{case}: {name}");
            }
        }
    }

    #[test]
    fn other_locations_are_failures() {
        for (location, message) in [
            ("ftp://site/", "redirect to something other than http or https"),
            ("javascript:alert(1)", "redirect to something other than http or https"),
            ("http://", "malformed reply: invalid location"),
            ("http://site:99999/", "malformed reply: invalid location"),
        ] {
            let failure = follow(&Method::GET, 302, Some(location)).err().unwrap();
            assert_eq!(failure, Failure::protocol(message), "{location}");
        }
    }
}
