//! A file of a web site, with caps: on the size of what comes, on the number of redirects, and on where they may lead.
//! What is fetched is public, so nothing is sent but the question.

use futures_util::StreamExt;
use reqwest::redirect::{Attempt, Policy};
use url::Url;

use super::super::locate;
use super::super::source::is_loopback;
use crate::http::Failure;

/// Redirects that are followed for one answer.
const HOPS: usize = 5;

/// What the client tells of itself.
pub const USER_AGENT: &str = concat!("stampede-shooter/", env!("CARGO_PKG_VERSION"));

/// Gets the file.
///
/// # Errors
/// It does not come, a redirect leads nowhere good, or it is too large.
pub async fn get(url: &Url) -> Result<Vec<u8>, String> {
    let client = reqwest::Client::builder().user_agent(USER_AGENT).redirect(Policy::custom(follow)).build();
    let client = client.map_err(|error| error.to_string())?;
    let reply = client.get(url.clone()).send().await.map_err(|error| reason(url, &error))?;
    match reply.status().as_u16() {
        200 => collect(reply.content_length(), reply.bytes_stream(), |error| reason(url, &error)).await,
        other => Err(format!("{} answered with status {other}", server(url))),
    }
}

/// Takes in what comes, unless it is too long for a component.
///
/// # Errors
/// It is too long, or breaks off, which `failed` puts into words.
pub async fn collect<E>(
    announced: Option<u64>,
    mut pieces: impl futures_util::Stream<Item = Result<bytes::Bytes, E>> + Unpin,
    failed: impl Fn(E) -> String,
) -> Result<Vec<u8>, String> {
    if announced.is_some_and(|length| length > locate::LARGEST) {
        return Err(locate::too_large());
    }
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        whole.extend_from_slice(&piece.map_err(&failed)?);
        if whole.len() as u64 > locate::LARGEST {
            return Err(locate::too_large());
        }
    }
    Ok(whole)
}

/// A server by the name that people know it by.
pub fn server(url: &Url) -> String {
    format!("`{}`", url.origin().ascii_serialization())
}

/// Why a server did not answer.
pub fn reason(url: &Url, error: &reqwest::Error) -> String {
    let refused = error.is_redirect().then(|| std::error::Error::source(error)).flatten();
    refused.map_or_else(
        || format!("{} cannot be asked: {}", server(url), Failure::of_any(error).detail),
        ToString::to_string,
    )
}

/// Whether to go where a server sends.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > HOPS {
        return attempt.error(format!("it is redirected more than {HOPS} times"));
    }
    let Some(from) = attempt.previous().last().cloned() else { return attempt.follow() };
    if may_follow(&from, attempt.url()) {
        return attempt.follow();
    }
    let message =
        format!("it is redirected from {} to {}, where anyone can listen", server(&from), server(attempt.url()));
    attempt.error(message)
}

/// Whether one place may send to another: TLS leads to TLS, and what is on this machine stays there or does so too.
fn may_follow(from: &Url, to: &Url) -> bool {
    match to.scheme() {
        "https" => true,
        "http" => from.scheme() == "http" && is_loopback(from) && is_loopback(to),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_do_not_leave_tls() {
        let url = |text: &str| Url::parse(text).unwrap();
        for (from, to, allowed) in [
            ("https://a/", "https://b/", true),
            ("https://a/", "http://a/", false),
            ("https://127.0.0.1/", "http://127.0.0.1/", false),
            ("http://127.0.0.1/", "http://localhost:1/", true),
            ("http://127.0.0.1/", "https://b/", true),
            ("http://127.0.0.1/", "http://b/", false),
            ("https://a/", "file:///etc/passwd", false),
        ] {
            assert_eq!(may_follow(&url(from), &url(to)), allowed, "{from} to {to}");
        }
    }
}
