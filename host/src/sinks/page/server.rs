//! The live page over HTTP: the page itself, its events (server-sent events), and the page with the log so far as a
//! file. All of it lies below a random token, and for requests alone that name this machine or an address as their
//! host: a page of another site can neither guess the one nor, by a name that it points here, pass the other.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::super::http_endpoint::{EndpointBody, EndpointHandler, reply, reply_text};
use super::event_log::{NewEvents, SharedLog};
use crate::control::{decode_request, encode_reply};
use crate::report::page::policy;
use crate::run::load_controller::{ControlCall, ControlRequest, ControlSender, RunStatus};

/// The time without an event after which a line says that the run is still there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The time after which a browser connects again, in milliseconds.
const RETRY: &str = "retry: 1000\n\n";

/// The header by which a browser says what it had last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The answers of the endpoint.
#[derive(Clone)]
pub(super) struct PageServer {
    page: &'static str,
    log: Arc<SharedLog>,
    token: Arc<str>,
    /// The sending end of requests to the run, once it is known; `None` if the page may only be read.
    requests: Option<Arc<OnceLock<ControlSender>>>,
}

impl PageServer {
    /// Creates a server of the page and the log, with a random token.
    pub(super) fn new(page: &'static str, log: Arc<SharedLog>, is_controlled: bool) -> Self {
        let token = format!("{:032x}", rand::random::<u128>()).into();
        Self { page, log, token, requests: is_controlled.then(Arc::default) }
    }

    /// Returns `true` if the page may change the run.
    pub(super) const fn is_controlled(&self) -> bool {
        self.requests.is_some()
    }

    /// Takes the sending end of requests to the run. Returns `false` if the page may only be read.
    pub(super) fn accept_control(&self, requests: &ControlSender) -> bool {
        let place = self.requests.as_ref();
        place.is_some_and(|place| place.set(requests.clone()).is_ok())
    }

    /// Returns the path of the page.
    pub(super) fn path(&self) -> String {
        format!("/{}/", self.token)
    }

    /// Returns the function that answers requests.
    pub(super) fn handler(&self) -> EndpointHandler {
        let server = self.clone();
        Arc::new(move |request| server.answer(&request))
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<EndpointBody> {
        let mut response = self.route(request);
        let policy = format!("{}; frame-ancestors 'none'", policy(self.page));
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let fixed = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ];
        let headers = response.headers_mut();
        headers.insert("content-security-policy", policy);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn route(&self, request: &Request<Bytes>) -> Response<EndpointBody> {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(is_local_name) {
            return reply_text(StatusCode::FORBIDDEN, "open the page by an address, not by a name\n");
        }
        let Some(path) = self.below_token(request.uri().path()) else {
            return reply_text(StatusCode::NOT_FOUND, "there is no such page; the link of the run has its token\n");
        };
        if path == "control" && self.is_controlled() {
            return self.control(request, host.unwrap_or_default());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return reply_text(StatusCode::METHOD_NOT_ALLOWED, "the page can only be read\n");
        }
        match path {
            "" => reply(StatusCode::OK, "text/html; charset=utf-8", self.page),
            "events" => self.events(request),
            "report.html" => self.saved(),
            _ => reply_text(StatusCode::NOT_FOUND, "there is no such page\n"),
        }
    }

    /// Returns the rest of a path that begins with the token.
    fn below_token<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (token, rest) = path.strip_prefix('/')?.split_once('/')?;
        // Every byte is compared, so that the time tells nothing of the token.
        let differing = token.bytes().zip(self.token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
        (token.len() == self.token.len() && differing == 0).then_some(rest)
    }

    fn events(&self, request: &Request<Bytes>) -> Response<EndpointBody> {
        let (pieces, receiver) = mpsc::channel(4);
        if *request.method() == Method::GET {
            let last = request.headers().get(LAST_EVENT_ID).and_then(|last| last.to_str().ok()?.parse().ok());
            tokio::spawn(send_events(Arc::clone(&self.log), last, pieces));
        }
        reply(StatusCode::OK, "text/event-stream", EndpointBody::pieces(receiver))
    }

    /// Carries out a request to the run: a line of the control socket, from this very page.
    fn control(&self, request: &Request<Bytes>, host: &str) -> Response<EndpointBody> {
        let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let is_own = header(ORIGIN).and_then(|origin| origin.strip_prefix("http://")) == Some(host);
        // A page of another site can send this type only after it has asked for leave, which it is not given.
        let is_json = header(CONTENT_TYPE) == Some("application/json");
        if *request.method() != Method::POST {
            return reply_text(StatusCode::METHOD_NOT_ALLOWED, "requests to the run are posted\n");
        }
        if !is_own || !is_json {
            return reply_text(StatusCode::FORBIDDEN, "only the page itself may change the run\n");
        }
        let asked = std::str::from_utf8(request.body()).map_err(|_| "the request is not UTF-8".to_owned());
        let asked = asked.and_then(decode_request);
        let requests = self.requests.as_ref().and_then(|requests| requests.get().cloned());
        let (pieces, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            let answer = match (asked, requests) {
                (Ok(request), Some(requests)) => ask(&requests, request).await,
                (Ok(_), None) => Err("the run has not begun".into()),
                (Err(error), _) => Err(error),
            };
            // If this fails, the tab is gone.
            let _ = pieces.send(encode_reply(answer).into()).await;
        });
        reply(StatusCode::OK, "application/json", EndpointBody::pieces(receiver))
    }

    fn saved(&self) -> Response<EndpointBody> {
        let mut page = Vec::new();
        if let Err(error) = self.log.write_page(&mut page) {
            tracing::error!("the page cannot be saved: {error}");
            return reply_text(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be saved\n");
        }
        let mut response = reply(StatusCode::OK, "text/html; charset=utf-8", page);
        let name = HeaderValue::from_static("attachment; filename=\"report.html\"");
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
        response
    }
}

/// Asks the run, and waits for its answer.
async fn ask(requests: &ControlSender, request: ControlRequest) -> Result<RunStatus, String> {
    let (reply, answer) = oneshot::channel();
    let over = || "the run is over".to_owned();
    requests.send(ControlCall { request, reply }).await.map_err(|_| over())?;
    answer.await.map_err(|_| over())?
}

/// Returns `true` if a host, with its port, is `localhost` or an address. Names of other sites can point here, too.
fn is_local_name(host: &str) -> bool {
    let authority: Option<hyper::http::uri::Authority> = host.parse().ok();
    authority.is_some_and(|authority| {
        let host = authority.host();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        host.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok()
    })
}

/// Sends what a tab has not seen, and then each second, until the run or the tab ends.
async fn send_events(log: Arc<SharedLog>, mut last: Option<u32>, pieces: mpsc::Sender<Bytes>) {
    let mut changes = log.changes();
    let mut is_open = pieces.send(Bytes::from_static(RETRY.as_bytes())).await.is_ok();
    while is_open {
        changes.borrow_and_update();
        let new = log.after(last);
        last = new.ticks.last().map(|tick| tick.last).or(last);
        let is_over = new.end.is_some();
        if !send(new, last, &pieces).await || is_over {
            return;
        }
        is_open = tokio::select! {
            changed = changes.changed() => changed.is_ok(),
            () = sleep(HEARTBEAT) => pieces.send(Bytes::from_static(b": the run goes on\n\n")).await.is_ok(),
            () = pieces.closed() => false,
        };
    }
}

/// Sends events. Returns `false` if the tab is gone.
async fn send(new: NewEvents, last: Option<u32>, pieces: &mpsc::Sender<Bytes>) -> bool {
    if let Some(hello) = new.hello
        && pieces.send(event("hello", None, &hello)).await.is_err()
    {
        return false;
    }
    for tick in new.ticks {
        let Ok(line) = tick.line() else { continue };
        if pieces.send(event("tick", Some(tick.last), &line)).await.is_err() {
            return false;
        }
    }
    match new.end {
        Some(end) => pieces.send(event("end", last, &end)).await.is_ok(),
        None => true,
    }
}

/// Writes an event. Its data is one line, since JSON escapes line feeds.
fn event(name: &str, id: Option<u32>, data: &str) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_other_sites_can_own_are_refused() {
        let cases = [
            ("127.0.0.1:4321", true),
            ("localhost", true),
            ("LOCALHOST:80", true),
            ("[::1]:4321", true),
            ("192.168.1.7:4321", true),
            ("evil.example", false),
            ("127.0.0.1.evil.example:80", false),
            ("localhost.evil.example", false),
            ("", false),
        ];
        for (host, expected) in cases {
            assert_eq!(is_local_name(host), expected, "{host}");
        }
    }

    #[test]
    fn an_event_has_its_number() {
        assert_eq!(event("tick", Some(7), "{}"), "id: 7\nevent: tick\ndata: {}\n\n");
        assert_eq!(event("hello", None, "{}"), "event: hello\ndata: {}\n\n");
    }
}
