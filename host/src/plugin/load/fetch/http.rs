//! GET with caps: on the size of what comes, on the number of redirects, and on where they may lead. What is fetched is
//! public, so nothing is sent but the question; a token for a registry goes to that registry alone.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderMap, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

use super::super::source::is_loopback;
use crate::net::{Failure, Tls};

/// Redirects that are followed for one answer.
const MAX_REDIRECTS: usize = 5;

/// Asks for one thing at a time.
pub struct FetchClient(hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

/// A question.
#[derive(Clone, Copy)]
pub struct FetchRequest<'a> {
    /// Where.
    pub url: &'a Url,
    /// Media types that are understood, if that matters.
    pub accept: &'a str,
    /// A token for the server, not for where it redirects to.
    pub token: Option<&'a str>,
    /// Most bytes of the answer.
    pub max_bytes: u64,
}

/// An answer.
pub struct FetchResponse {
    /// Its status, which is no redirect.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Vec<u8>,
}

impl FetchClient {
    /// Trusts whom the load's client trusts by itself. `--insecure-tls` is about the target and changes nothing here.
    ///
    /// # Errors
    /// The TLS settings are not usable, which is a bug.
    pub fn new() -> Result<Self, String> {
        let tls = Tls::load(false).map_err(|error| error.to_string())?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls.without_protocols()).https_or_http();
        let builder = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
        Ok(Self(builder.build(connector.enable_http1().build())))
    }

    /// Asks, and follows redirects. What the server answers is for the caller to judge.
    ///
    /// # Errors
    /// There is no answer, a redirect leads nowhere good, or the answer is too long.
    pub async fn get(&self, question: FetchRequest<'_>) -> Result<FetchResponse, String> {
        let (mut url, mut token) = (question.url.clone(), question.token);
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.get_once(FetchRequest { url: &url, token, ..question }).await?;
            let Some(next) = answer.headers.get(LOCATION).filter(|_| is_redirect(answer.status)) else {
                return Ok(answer);
            };
            let next = next.to_str().ok().and_then(|next| url.join(next).ok());
            let next = next.ok_or("it is redirected to what is no URL")?;
            if !may_follow(&url, &next) {
                return Err(format!(
                    "it is redirected from {} to {}, where anyone can listen",
                    server_name(&url),
                    server_name(&next)
                ));
            }
            token = token.filter(|_| next.origin() == url.origin());
            url = next;
        }
        Err(format!("it is redirected more than {MAX_REDIRECTS} times"))
    }

    async fn get_once(&self, question: FetchRequest<'_>) -> Result<FetchResponse, String> {
        let mut request = Request::get(question.url.as_str())
            .header(USER_AGENT, concat!("stampede-shooter/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, question.accept);
        if let Some(token) = question.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
        let failed = |error: &(dyn std::error::Error + 'static)| {
            format!("{} cannot be asked: {}", server_name(question.url), Failure::of_any(error).detail)
        };
        let reply = self.0.request(request).await.map_err(|error| failed(&error))?;
        let (head, body) = reply.into_parts();
        let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let too_long = || format!("it is larger than {} MiB", question.max_bytes >> 20);
        if announced.is_some_and(|length| length > question.max_bytes) {
            return Err(too_long());
        }
        let most = usize::try_from(question.max_bytes).unwrap_or(usize::MAX);
        let body = Limited::new(body, most).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() { too_long() } else { failed(&*error) }
        })?;
        Ok(FetchResponse { status: head.status, headers: head.headers, body: body.to_bytes().into() })
    }
}

/// A server by the name that people know it by.
pub fn server_name(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("`{}://{}{port}`", url.scheme(), url.host_str().unwrap_or_default())
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether one place may send to another: TLS leads to TLS, and what is on this machine stays there or does so too.
pub fn may_follow(from: &Url, to: &Url) -> bool {
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
