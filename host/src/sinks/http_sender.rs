//! Sends the bodies of sinks to an HTTP server, one after the other, on the sink's own thread. What the server cannot
//! take now is kept and sent again a few times; what is lost is counted. Nothing here ends a run.
//!
//! Header values and the query of the URL may be secrets: messages name scheme, host and port alone.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use url::Url;

use super::grpc::{self, GrpcStatus};
use crate::net::{Failure, Tls, Trust};

/// The number of bodies that wait at most.
const MAX_WAITING: usize = 60;
/// The number of times that a body is sent at most.
const MAX_ATTEMPTS: u32 = 5;
/// The longest pause that a server can ask for, in calls of [`HttpSender::send`], of which there is one a second.
const MAX_PAUSE: u64 = 30;
/// The pause between two attempts when the run is over, and the number of them.
const LAST_PAUSE: Duration = Duration::from_millis(500);
const LAST_ATTEMPTS: usize = 3;
/// The size of a reply that is read at most.
const MAX_REPLY_BYTES: usize = 64 << 10;

/// The pause after an attempt that took all the time that a request may take, in calls of [`HttpSender::send`]: a
/// silent server costs the sink that time again with each attempt.
const SILENCE_PAUSE: u64 = 5;

/// A server, and the bodies that it has not taken yet.
pub(super) struct HttpSender {
    runtime: Runtime,
    queue: SendQueue,
}

/// Bodies on their way to a server.
struct SendQueue {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    target: SendTarget,
    waiting: VecDeque<WaitingBody>,
    /// Calls to let pass before the next attempt.
    pause: u64,
    taken: u64,
    lost: u64,
    last_error: Option<String>,
}

/// Where bodies go.
pub(super) struct SendTarget {
    /// The URL.
    pub url: Url,
    /// The header fields of each request.
    pub headers: HeaderMap,
    /// The time that a request may take.
    pub time: Duration,
    /// The name of the bodies in messages, such as `batches`.
    pub what: &'static str,
    /// `true` if the bodies are messages of gRPC with their prefix.
    pub is_grpc: bool,
    /// Returns what a server complains of in a reply of success, if it does.
    pub complaint: fn(&[u8]) -> Option<String>,
}

struct WaitingBody {
    bytes: Bytes,
    attempts: u32,
}

/// The fate of a request.
enum SendOutcome {
    /// The server has taken the body.
    Taken,
    /// It may take it later, after this number of seconds.
    Later { why: String, seconds: u64 },
    /// It never will.
    Refused { why: String },
}

impl HttpSender {
    /// Creates a sender. It trusts the system's certificates.
    ///
    /// # Errors
    /// The system does not let it run.
    pub(super) fn new(target: SendTarget) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let tls = Tls::load(Trust::Authorities(Vec::new())).map_err(|error| error.to_string())?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls.without_protocols()).https_or_http();
        let connector =
            if target.is_grpc { connector.enable_http2().build() } else { connector.enable_http1().build() };
        let client = Client::builder(TokioExecutor::new()).http2_only(target.is_grpc).build(connector);
        let waiting = VecDeque::new();
        let queue = SendQueue { client, target, waiting, pause: 0, taken: 0, lost: 0, last_error: None };
        Ok(Self { runtime, queue })
    }

    /// Sends a body, after those that wait. Called once a second.
    pub(super) fn send(&mut self, body: impl Into<Bytes>) {
        self.push(body.into());
        self.send_waiting();
    }

    /// Puts a body behind those that wait.
    pub(super) fn push(&mut self, body: Bytes) {
        if self.queue.waiting.len() == MAX_WAITING {
            self.queue.lose("too many waited");
        }
        self.queue.waiting.push_back(WaitingBody { bytes: body, attempts: 0 });
    }

    /// Sends what waits, unless the server has asked for a pause. Called once a second.
    pub(super) fn send_waiting(&mut self) {
        let Self { runtime, queue } = self;
        if queue.pause > 0 {
            queue.pause -= 1;
        } else {
            runtime.block_on(queue.attempt());
        }
    }

    /// Counts bodies that were lost before they came here.
    pub(super) fn lose(&mut self, bodies: u64, why: &str) {
        if bodies > 0 {
            self.queue.lost += bodies;
            self.queue.last_error = Some(why.to_owned());
        }
    }

    /// Sends what waits, a few times if need be, and loses the rest. Takes at most twice the time of a request: the
    /// report is shown after it.
    pub(super) fn finish(&mut self) {
        let Self { runtime, queue } = self;
        let time = queue.target.time * 2;
        if runtime.block_on(async { timeout(time, queue.finish()).await }).is_err() {
            queue.last_error.get_or_insert_with(|| "does not answer in time".into());
        }
        queue.lost += queue.waiting.len() as u64;
        queue.waiting.clear();
    }

    /// Returns what was lost, in words; `None` if nothing was.
    pub(super) fn loss(&self) -> Option<String> {
        let SendQueue { target, taken, lost, last_error, .. } = &self.queue;
        let why = last_error.as_deref().unwrap_or_default();
        let (what, server) = (target.what, server_name(&target.url));
        (*lost > 0).then(|| format!("it lost {lost} of {} {what}: {server} {why}", lost + taken))
    }
}

impl SendQueue {
    async fn finish(&mut self) {
        for attempt in 0..LAST_ATTEMPTS {
            if self.waiting.is_empty() {
                return;
            }
            if attempt > 0 || self.pause > 0 {
                tokio::time::sleep(LAST_PAUSE).await;
            }
            self.attempt().await;
        }
    }

    async fn attempt(&mut self) {
        while let Some(body) = self.waiting.front_mut() {
            body.attempts += 1;
            let (bytes, attempts) = (body.bytes.clone(), body.attempts);
            match post(&self.client, &self.target, bytes).await {
                SendOutcome::Taken => {
                    self.taken += 1;
                    self.waiting.pop_front();
                }
                SendOutcome::Refused { why } => self.lose(&why),
                SendOutcome::Later { why, seconds } => {
                    self.pause = seconds.min(MAX_PAUSE);
                    tracing::debug!("{} {why}", server_name(&self.target.url));
                    if attempts >= MAX_ATTEMPTS {
                        self.lose(&why);
                    } else {
                        self.last_error = Some(why);
                    }
                    return;
                }
            }
        }
    }

    fn lose(&mut self, why: &str) {
        self.lost += 1;
        self.last_error = Some(why.to_owned());
        self.waiting.pop_front();
    }
}

async fn post(
    client: &Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    target: &SendTarget,
    body: Bytes,
) -> SendOutcome {
    let later = |why: String| SendOutcome::Later { why, seconds: 0 };
    let mut request = match Request::post(target.url.as_str()).body(Full::new(body)) {
        Ok(request) => request,
        Err(error) => return SendOutcome::Refused { why: error.to_string() },
    };
    request.headers_mut().extend(target.headers.clone());
    let exchange = async {
        let reply = client.request(request).await.map_err(|error| Failure::of_any(&error).problem().to_string())?;
        let (head, body) = reply.into_parts();
        // The connection is used again only after a reply that was read.
        let body = Limited::new(body, MAX_REPLY_BYTES).collect().await.ok();
        let trailers = body.as_ref().and_then(|body| body.trailers().cloned());
        Ok::<_, String>((head, trailers, body.map(|body| body.to_bytes()).unwrap_or_default()))
    };
    match timeout(target.time, exchange).await {
        Err(_) => SendOutcome::Later { why: "does not answer in time".into(), seconds: SILENCE_PAUSE },
        Ok(Err(why)) => later(format!("cannot be reached: {why}")),
        Ok(Ok((head, trailers, body))) if head.status.is_success() && target.is_grpc => {
            grpc_outcome(target, trailers.as_ref().unwrap_or(&head.headers), &body)
        }
        Ok(Ok((head, _, body))) if head.status.is_success() => {
            (target.complaint)(&body).map_or(SendOutcome::Taken, |why| SendOutcome::Refused { why })
        }
        Ok(Ok((head, ..))) => {
            let why = format!("answers with status {}", head.status.as_u16());
            if may_take_later(head.status) {
                SendOutcome::Later { why, seconds: retry_after(&head.headers) }
            } else {
                SendOutcome::Refused { why }
            }
        }
    }
}

/// Returns the fate of a call that was answered. `last` are its trailers, or the head of a reply that has none.
fn grpc_outcome(target: &SendTarget, last: &HeaderMap, body: &[u8]) -> SendOutcome {
    let Some(status) = GrpcStatus::of(last) else {
        return SendOutcome::Refused { why: "does not answer with a gRPC status".into() };
    };
    if status.is_ok() {
        let complaint = (target.complaint)(grpc::without_prefix(body));
        return complaint.map_or(SendOutcome::Taken, |why| SendOutcome::Refused { why });
    }
    let why = format!("answers with gRPC status {}", status.name());
    match status.may_repeat_after() {
        Some(seconds) => SendOutcome::Later { why, seconds },
        None => SendOutcome::Refused { why },
    }
}

/// Returns `true` for the status codes after which the same body may be sent again.
fn may_take_later(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Returns the number of seconds in a `retry-after` field; dates count as none.
fn retry_after(headers: &HeaderMap) -> u64 {
    headers.get(RETRY_AFTER).and_then(|field| field.to_str().ok()?.trim().parse().ok()).unwrap_or(0)
}

/// Returns a server's scheme, host and port in backticks.
pub(super) fn server_name(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("`{}://{}{port}`", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cli::ListenAddress;
    use crate::sinks::http_endpoint::{HttpEndpoint, reply_text};

    /// Creates a server that gives these answers, then status 204, and keeps the bodies.
    fn server(answers: &[(u16, &'static str)]) -> (HttpEndpoint, Arc<Mutex<Vec<String>>>) {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers) = (Arc::clone(&bodies), Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        let handler = move |request: Request<Bytes>| {
            kept.lock().unwrap().push(String::from_utf8(request.into_body().to_vec()).unwrap());
            let (status, after) = answers.lock().unwrap().pop_front().unwrap_or((204, ""));
            let mut reply = reply_text(StatusCode::from_u16(status).unwrap(), "");
            if !after.is_empty() {
                reply.headers_mut().insert(RETRY_AFTER, after.parse().unwrap());
            }
            reply
        };
        (HttpEndpoint::open(ListenAddress::loopback(0), "--test", Arc::new(handler)).unwrap(), bodies)
    }

    fn sender(url: &str) -> HttpSender {
        let (url, headers, time) = (Url::parse(url).unwrap(), HeaderMap::new(), Duration::from_secs(60));
        let (what, is_grpc) = ("batches", false);
        let target = SendTarget { url, headers, time, what, is_grpc, complaint: |_| None };
        HttpSender::new(target).unwrap()
    }

    #[test]
    fn what_a_server_cannot_take_now_is_sent_again_in_order_and_nothing_is_lost() {
        let (endpoint, bodies) = server(&[(204, ""), (503, "2"), (204, "")]);
        let mut sender = sender(&endpoint.base_url());
        ["a", "b", "c", "d", "e"].into_iter().for_each(|body| sender.send(body));
        sender.finish();
        assert_eq!(*bodies.lock().unwrap(), ["a", "b", "b", "c", "d", "e"], "c and d wait for two seconds");
        assert_eq!(sender.loss(), None);
    }

    #[test]
    fn what_a_server_refuses_is_lost_and_named() {
        let (endpoint, bodies) = server(&[(400, ""), (204, ""), (302, "")]);
        let mut sender = sender(&format!("{}/write?token=secret", endpoint.base_url()));
        ["a", "b", "c"].into_iter().for_each(|body| sender.send(body));
        assert_eq!(*bodies.lock().unwrap(), ["a", "b", "c"]);
        let expected = format!("it lost 2 of 3 batches: `{}` answers with status 302", endpoint.base_url());
        assert_eq!(sender.loss(), Some(expected));
    }

    #[test]
    fn a_body_is_sent_five_times_at_most() {
        let (endpoint, bodies) = server(&[(500, ""); 5]);
        let mut sender = sender(&endpoint.base_url());
        ["a", "b", "c", "d", "e", "f"].into_iter().for_each(|body| sender.send(body));
        sender.finish();
        assert_eq!(*bodies.lock().unwrap(), ["a", "a", "a", "a", "a", "b", "c", "d", "e", "f"]);
        assert!(sender.loss().is_some_and(|loss| loss.starts_with("it lost 1 of 6 batches: ")));
    }

    #[test]
    fn a_server_that_is_down_costs_the_batches_and_no_more_than_some_of_them_wait() {
        let (endpoint, _) = server(&[]);
        let url = endpoint.base_url();
        drop(endpoint);
        let mut sender = sender(&url);
        (0..100).for_each(|n| sender.send(n.to_string()));
        assert!(sender.queue.waiting.len() <= MAX_WAITING);
        sender.finish();
        let loss = sender.loss().unwrap();
        assert!(loss.starts_with(&format!("it lost 100 of 100 batches: `{url}` cannot be reached: ")), "{loss}");
    }
}
