//! GET with limits on the size of the response, on the number of redirects, and on where they may lead. Only public
//! resources are fetched, so no credentials are sent; a token for a registry goes to that registry alone.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderMap, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

use super::super::source::is_loopback;
use crate::net::{Failure, Tls, Trust};

/// Maximum number of redirects that are followed for one request.
const MAX_REDIRECTS: usize = 5;

/// An HTTP client for single GET requests.
pub(super) struct FetchClient(hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

/// One GET request.
#[derive(Clone, Copy)]
pub(super) struct FetchRequest<'a> {
    /// URL to fetch.
    pub url: &'a Url,
    /// Accepted media types, as in the `accept` field.
    pub accept: &'a str,
    /// A token for this server; it is not sent to others after a redirect.
    pub token: Option<&'a str>,
    /// Maximum size of the response in bytes.
    pub max_bytes: u64,
}

/// The response to a request.
pub(super) struct FetchResponse {
    /// Its status, which is not a redirect.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Vec<u8>,
}

impl FetchClient {
    /// Creates a client that trusts the system's certificates. `--insecure-tls` is for the target and has no effect
    /// here.
    ///
    /// # Errors
    /// The TLS settings are not usable, which is a bug.
    pub(super) fn new() -> Result<Self, String> {
        let tls = Tls::load(Trust::Authorities(Vec::new())).map_err(|error| error.to_string())?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls.without_protocols()).https_or_http();
        let builder = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
        Ok(Self(builder.build(connector.enable_http1().build())))
    }

    /// Sends a request and follows redirects. The caller checks the status.
    ///
    /// # Errors
    /// There is no response, a redirect may not be followed, or the response is too long.
    pub(super) async fn get(&self, wanted: FetchRequest<'_>) -> Result<FetchResponse, String> {
        let (mut url, mut token) = (wanted.url.clone(), wanted.token);
        for _ in 0..=MAX_REDIRECTS {
            let response = self.get_once(FetchRequest { url: &url, token, ..wanted }).await?;
            let Some(next) = response.headers.get(LOCATION).filter(|_| is_redirect(response.status)) else {
                return Ok(response);
            };
            let next = next.to_str().ok().and_then(|next| url.join(next).ok());
            let next = next.ok_or("it is redirected to something that is not a URL")?;
            if !may_follow(&url, &next) {
                return Err(format!(
                    "it is redirected from {} to {}, which is not encrypted",
                    server_name(&url),
                    server_name(&next)
                ));
            }
            token = token.filter(|_| next.origin() == url.origin());
            url = next;
        }
        Err(format!("it is redirected more than {MAX_REDIRECTS} times"))
    }

    async fn get_once(&self, wanted: FetchRequest<'_>) -> Result<FetchResponse, String> {
        let mut request = Request::get(wanted.url.as_str())
            .header(USER_AGENT, concat!("stampede-shooter/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, wanted.accept);
        if let Some(token) = wanted.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
        let failed = |error: &(dyn std::error::Error + 'static)| {
            format!("{} cannot be reached: {}", server_name(wanted.url), Failure::of_any(error).problem())
        };
        let reply = self.0.request(request).await.map_err(|error| failed(&error))?;
        let (head, body) = reply.into_parts();
        let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let too_long = || format!("it is larger than {} MiB", wanted.max_bytes >> 20);
        if announced.is_some_and(|length| length > wanted.max_bytes) {
            return Err(too_long());
        }
        let limit = usize::try_from(wanted.max_bytes).unwrap_or(usize::MAX);
        let body = Limited::new(body, limit).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() { too_long() } else { failed(&*error) }
        })?;
        Ok(FetchResponse { status: head.status, headers: head.headers, body: body.to_bytes().into() })
    }
}

/// Returns a server's scheme, host and port in backticks, for messages.
pub(super) fn server_name(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("`{}://{}{port}`", url.scheme(), url.host_str().unwrap_or_default())
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns `true` if a redirect may be followed: to TLS always; to plain HTTP only from and to this machine.
pub(super) fn may_follow(from: &Url, to: &Url) -> bool {
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
