//! The wire format of a request (RFC 9112 section 3).

use hyper::Method;
use hyper::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING, USER_AGENT};

use super::super::body;
use super::super::message::{OutgoingRequest, Request, TRACEPARENT, has_payload};

/// Writes the head of a request. The last request on a connection has `connection: close`, unless it has a `connection`
/// field of its own. `content-length` is the length of the body; framing fields of the request are ignored.
pub(in crate::http) fn write_head(outgoing: &OutgoingRequest<'_>, out: &mut Vec<u8>) {
    let OutgoingRequest { request, cookie, user_agent, is_last, trace, .. } = outgoing;
    let put = |out: &mut Vec<u8>, parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
    put(out, &[request.method.as_str().as_bytes(), b" ", request.target.as_str().as_bytes(), b" HTTP/1.1\r\n"]);
    let (mut host, mut own_cookie, mut codings, mut agent) = (false, false, false, false);
    for (name, value) in request.headers.iter() {
        if *name == CONTENT_LENGTH || *name == TRANSFER_ENCODING {
            continue;
        }
        host |= *name == HOST;
        own_cookie |= *name == COOKIE;
        codings |= *name == ACCEPT_ENCODING;
        if *name == USER_AGENT {
            agent = true;
            if value.is_empty() {
                continue;
            }
        }
        put(out, &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
    }
    if !host {
        put(out, &[b"host: ", request.origin.host_field().as_bytes(), b"\r\n"]);
    }
    if let Some(user_agent) = user_agent.filter(|_| !agent) {
        put(out, &[b"user-agent: ", user_agent.as_bytes(), b"\r\n"]);
    }
    if let Some(cookie) = cookie.as_ref().filter(|_| !own_cookie) {
        put(out, &[b"cookie: ", cookie.as_bytes(), b"\r\n"]);
    }
    if let Some(trace) = trace.filter(|_| request.headers.get(&TRACEPARENT).is_none()) {
        put(out, &[b"traceparent: ", &trace.header_value(), b"\r\n"]);
    }
    if request.decode && !codings {
        put(out, &[b"accept-encoding: ", body::ACCEPTED_CODINGS.as_bytes(), b"\r\n"]);
    }
    if !request.body.is_empty() || has_payload(&request.method) {
        put(out, &[b"content-length: ", request.body.len().to_string().as_bytes(), b"\r\n"]);
    }
    if *is_last && request.headers.get(&CONNECTION).is_none() {
        put(out, &[b"connection: close\r\n"]);
    }
    put(out, &[b"\r\n"]);
}

/// Returns `true` if the request itself asks to close the connection.
pub(super) fn asks_to_close(request: &Request) -> bool {
    request.method == Method::CONNECT
        || request.headers.get(&CONNECTION).is_some_and(|value| super::reply::has_token(value.as_bytes(), b"close"))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};
    use url::Url;

    use super::super::super::{Decoding, Fields};
    use super::*;
    use crate::net::Version;
    use crate::net::{Origin, target};

    fn written(fields: &[(HeaderName, &'static str)], cookie: Option<&'static str>, is_last: bool) -> String {
        let url = Url::parse("http://site/a?b").unwrap();
        let fields = fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let request = Request {
            method: Method::GET,
            origin: Origin::of(&url).unwrap(),
            target: target(&url).unwrap(),
            headers: fields.collect::<Fields>(),
            body: Default::default(),
            version: Version::Http1,
            keep_body: None,
            optional_body: None,
            decode: true,
            decoding: Decoding::AtOnce,
            takes_fingerprint: false,
            sent_cookie: Default::default(),
            channel: None,
        };
        let mut out = Vec::new();
        let cookie = cookie.map(HeaderValue::from_static);
        let (request, user_agent, trace) = (&request, Some("program/1"), None);
        write_head(&OutgoingRequest { request, cookie, user_agent, is_last, trace, link: None }, &mut out);
        String::from_utf8(out).unwrap()
    }

    const AGENT: &str = "user-agent: program/1\r\n";

    #[test]
    fn an_empty_user_agent_is_not_sent() {
        let rest = "accept-encoding: gzip, deflate, br\r\n\r\n";
        assert_eq!(written(&[(USER_AGENT, "")], None, false), format!("GET /a?b HTTP/1.1\r\nhost: site\r\n{rest}"));
    }

    #[test]
    fn fields_of_the_request_win() {
        assert_eq!(
            written(&[(USER_AGENT, "x")], Some("a=1"), false),
            "GET /a?b HTTP/1.1\r\nuser-agent: x\r\nhost: site\r\ncookie: a=1\r\naccept-encoding: gzip, deflate, br\r\n\r\n"
        );
        assert_eq!(
            written(
                &[(COOKIE, "mine=1"), (ACCEPT_ENCODING, "br"), (HOST, "other"), (CONTENT_LENGTH, "7")],
                Some("a=1"),
                false
            ),
            format!("GET /a?b HTTP/1.1\r\ncookie: mine=1\r\naccept-encoding: br\r\nhost: other\r\n{AGENT}\r\n")
        );
    }

    #[test]
    fn the_last_request_closes_the_connection_unless_it_has_a_connection_field() {
        let rest = format!("host: site\r\n{AGENT}accept-encoding: gzip, deflate, br\r\n");
        let of = |first: &str, last: &str| format!("GET /a?b HTTP/1.1\r\n{first}{rest}{last}\r\n");
        assert_eq!(written(&[], None, true), of("", "connection: close\r\n"));
        assert_eq!(written(&[(CONNECTION, "x")], None, true), of("connection: x\r\n", ""));
    }
}
