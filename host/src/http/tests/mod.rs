//! The client against servers that a test scripts byte by byte. Client and servers share one thread, so that the test
//! decides the order of events.

mod failures;
mod http2;
mod keep_alive;
mod linked;
mod measures;
mod replies;
mod streamed;
mod tls;
mod upgrade;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use stampede_time::{Clock, SECOND};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};
use url::Url;

use super::*;
use crate::net::{Failure, Measurements, Meter, NetworkOptions, Origin, Tls, Trust, Version, target};

/// Maximum content kept in these tests, in bytes.
const LIMIT: usize = 100_000;
/// The budget of contents, in bytes.
const BUDGET: usize = 3 << 20;

/// Runs a test where tasks can be local. The time limit only keeps a bug from hanging the suite.
async fn run<T>(test: impl Future<Output = T>) -> T {
    let tasks = LocalSet::new();
    tokio::time::timeout(Duration::from_secs(30), tasks.run_until(test)).await.expect("the test hangs")
}

/// A user with a client of its own.
struct TestUser {
    client: Client,
    session: HttpSession,
    meter: Meter,
}

impl TestUser {
    fn new() -> Self {
        Self::trusting(false)
    }

    /// Creates a user that trusts any certificate, or only the system's.
    fn trusting(any: bool) -> Self {
        let trust = if any { Trust::Anything } else { Trust::Authorities(Vec::new()) };
        let network = NetworkOptions { tls: Tls::load(trust).unwrap(), dial: None, dns_ttl: SECOND, seed: 0 };
        let options = ClientOptions { network, max_body_kept: LIMIT, body_budget: BodyBudget::new(BUDGET) };
        Self { client: Client::new(options, Clock::start()), session: HttpSession::default(), meter: Meter::default() }
    }

    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        self.meter.begin(self.client.now(), 0);
        exchange(&self.client, &self.session, &self.meter, &request).await
    }

    /// Sends a GET. Returns the status and the content, or the failure as `kind: detail`.
    async fn get(&self, url: &str) -> Result<(u16, Bytes), String> {
        text(self.send(get(url)).await)
    }

    fn measured(&self) -> Measurements {
        *self.meter.read()
    }
}

fn text(outcome: Result<Reply, Failure>) -> Result<(u16, Bytes), String> {
    match outcome {
        Ok(reply) => Ok((reply.status.as_u16(), reply.body)),
        Err(failure) => Err(format!("{}: {failure}", failure.kind.name())),
    }
}

/// Builds a GET that keeps the content.
fn get(url: &str) -> Request {
    let url = Url::parse(url).unwrap();
    Request {
        method: Method::GET,
        origin: Origin::of(&url).unwrap(),
        target: target(&url).unwrap(),
        headers: Fields::default(),
        body: Bytes::new(),
        version: Version::Negotiate,
        keep_body: Some(Allowance::new(Cell::new(usize::MAX >> 1))),
        optional_body: None,
        decode: false,
        decoding: Decoding::AtOnce,
        takes_fingerprint: false,
        sent_cookie: Default::default(),
        channel: None,
    }
}

/// The server's action after a request has arrived.
#[derive(Clone)]
enum ServerAction {
    /// Answers, and reads the next request.
    Answer(&'static [u8]),
    /// Answers, and closes the connection.
    Last(&'static [u8]),
    /// Answers, and closes the connection on request.
    Idle(&'static [u8]),
    /// Resets the connection without an answer.
    Reset,
    /// Sends these bytes and keeps the connection open until the client closes it.
    Stall(&'static [u8]),
}

/// Observations of the server.
#[derive(Default)]
struct ServerLog {
    connections: Cell<usize>,
    requests: RefCell<Vec<String>>,
    bytes_in: Cell<u64>,
    bytes_out: Cell<u64>,
    /// True when an answer has been written in full.
    answered: Cell<bool>,
    /// Tells an idle connection to close.
    close: Notify,
    /// Number of connections whose end the server has seen.
    closed: Cell<usize>,
}

/// A server that answers one request after the other, over all connections, by its script. The last action of the
/// script is repeated.
struct ScriptedServer {
    address: SocketAddr,
    seen: Rc<ServerLog>,
}

impl ScriptedServer {
    async fn new(script: &[ServerAction]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Rc::new(ServerLog::default());
        let (script, log): (Rc<[ServerAction]>, _) = (script.into(), Rc::clone(&seen));
        spawn_local(async move {
            while let Ok((connection, _)) = listener.accept().await {
                log.connections.set(log.connections.get() + 1);
                spawn_local(serve(connection, Rc::clone(&script), Rc::clone(&log)));
            }
        });
        Self { address, seen }
    }

    fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.seen.requests.borrow().clone()
    }

    fn connections(&self) -> usize {
        self.seen.connections.get()
    }

    /// Waits until an answer has been sent and has arrived.
    async fn until_answered(&self) {
        until(|| self.seen.answered.get()).await;
        turn().await;
    }

    /// Closes the idle connection, and waits until the client can notice it.
    async fn close_idle(&self) {
        self.seen.close.notify_one();
        self.until_closed(1).await;
        turn().await;
    }

    /// Waits until the server has seen the end of `count` connections.
    async fn until_closed(&self, count: usize) {
        until(|| self.seen.closed.get() == count).await;
    }
}

/// Waits until a condition is true.
async fn until(has_happened: impl Fn() -> bool) {
    while !has_happened() {
        turn().await;
    }
}

async fn serve(mut connection: TcpStream, script: Rc<[ServerAction]>, seen: Rc<ServerLog>) {
    while let Some(request) = read_request(&mut connection).await {
        seen.bytes_in.set(seen.bytes_in.get() + request.len() as u64);
        let number = seen.requests.borrow().len().min(script.len() - 1);
        seen.requests.borrow_mut().push(request);
        let (answer, goes_on) = match script[number] {
            ServerAction::Answer(answer) => (answer, true),
            ServerAction::Last(answer) | ServerAction::Idle(answer) => (answer, false),
            ServerAction::Reset => {
                connection.set_zero_linger().unwrap();
                break;
            }
            ServerAction::Stall(answer) => (answer, true),
        };
        seen.bytes_out.set(seen.bytes_out.get() + answer.len() as u64);
        let written = connection.write_all(answer).await.is_ok();
        seen.answered.set(written);
        if matches!(script[number], ServerAction::Idle(_)) {
            seen.close.notified().await;
        }
        if !written || !goes_on {
            break;
        }
    }
    drop(connection);
    seen.closed.set(seen.closed.get() + 1);
}

/// Reads one request with its content; `None` at the end of the connection.
async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut request = String::new();
    while !is_complete(&request) {
        let mut byte = [0];
        if connection.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        request.push(byte[0].into());
    }
    Some(request)
}

fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() == length.map_or(0, |length| length.parse().unwrap())
}

/// Lets the runtime process pending events of all sockets: it sends a byte through a pair of sockets, whose event
/// arrives together with the others.
async fn turn() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let (mut near, mut far) = (near.unwrap(), far.unwrap().0);
    near.write_all(b"x").await.unwrap();
    far.read_exact(&mut [0]).await.unwrap();
}
