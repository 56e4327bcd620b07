//! Sign-in and its check. Session tokens are derived from the API token and carry their own checksum, so the site keeps
//! no sessions, however many users there are. None of this is secure; it only distinguishes users that have signed in
//! from those that have not.

use std::fmt::Write;

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};

use super::hash::{hash_bytes, mix_bits};
use super::page_outcome::{PageOutcome, PageReply, error_reply, json};
use super::page_request::PageRequest;

/// Header field of the API token.
const API_TOKEN_HEADER: &str = "x-api-token";

/// Cookie of the session token.
const SESSION_COOKIE: &str = "session";

/// Constant that makes the checksum differ from the number that it is computed from.
const CHECKSUM_KEY: u64 = 0x5374_616d_7065_6465;

/// Serves `/auth`.
pub(crate) fn sign_in(ask: &PageRequest<'_>) -> PageOutcome {
    let Some(api_token) = api_token(ask) else { return unauthorized().into() };
    let user = hash_bytes(api_token.as_bytes());
    let token = token(user);
    let mut text = String::with_capacity(80);
    // Writing to a string cannot fail.
    let _ = write!(text, r#"{{"token":"{token}","user":"user-{user:016x}"}}"#);
    let mut reply = json(StatusCode::OK, text);
    if let Ok(cookie) = HeaderValue::try_from(format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax")) {
        reply.headers_mut().insert(SET_COOKIE, cookie);
    }
    reply.into()
}

/// Returns `true` if the request has a token of `/auth` (as bearer or cookie) or an API token that `/auth` accepts.
pub(crate) fn is_signed_in(ask: &PageRequest<'_>) -> bool {
    let bearer = || ask.header(AUTHORIZATION.as_str()).and_then(bearer).is_some_and(is_token);
    let cookie = || ask.cookies().any(|(name, value)| name == SESSION_COOKIE && is_token(value));
    bearer() || api_token(ask).is_some() || cookie()
}

/// Returns a 401 reply.
pub(crate) fn unauthorized() -> PageReply {
    let mut reply = error_reply(StatusCode::UNAUTHORIZED, "sign in first");
    reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    reply
}

fn api_token<'a>(ask: &'a PageRequest<'_>) -> Option<&'a str> {
    ask.header(API_TOKEN_HEADER).filter(|token| !token.is_empty() && *token != "wrong")
}

/// Returns the token of an `authorization` field; the scheme is case-insensitive (RFC 9110).
fn bearer(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn token(user: u64) -> String {
    format!("{user:016x}{:016x}", mix_bits(user ^ CHECKSUM_KEY))
}

fn is_token(text: &str) -> bool {
    let user = text.get(..16).and_then(|user| u64::from_str_radix(user, 16).ok());
    user.is_some_and(|user| token(user) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_by_its_checksum() {
        let good = token(hash_bytes(b"demo-1"));
        assert!(is_token(&good));
        for text in ["", "abc", &good[1..], &good.to_uppercase(), &good.replace(&good[16..17], "x"), "ééééééééé"]
        {
            assert!(!is_token(text), "{text}");
        }
    }

    #[test]
    fn different_api_tokens_give_different_tokens() {
        assert_ne!(token(hash_bytes(b"demo-1")), token(hash_bytes(b"demo-2")));
        assert_eq!(token(hash_bytes(b"demo-1")), token(hash_bytes(b"demo-1")));
    }

    #[test]
    fn the_bearer_scheme_is_recognised_in_any_case() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }
}
