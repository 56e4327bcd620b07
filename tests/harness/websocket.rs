//! A WebSocket server, built on tokio-tungstenite, that counts connections and messages. The path of the URL says what
//! it does on a connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use crate::{RawRequest, wait_for};

/// Length of the queue of connections that wait to be accepted.
const QUEUE: u32 = 4096;

/// A WebSocket server that runs until the tests end.
pub struct WebSockets {
    addr: SocketAddr,
    seen: Arc<Seen>,
}

/// Counts of a server so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Connections whose handshake succeeded.
    pub opened: u64,
    /// Connections that are open.
    pub open: u64,
    /// The most connections that were open at once.
    pub most_open: u64,
    /// Text and binary messages received.
    pub messages_in: u64,
    /// Text and binary messages sent.
    pub messages_out: u64,
    /// Codes of the close frames received, in order; 0 for a frame without a code.
    pub codes: Vec<u16>,
}

struct Seen {
    counted: Mutex<Counted>,
    /// The number of open connections, which `/together` waits for.
    open: watch::Sender<u64>,
}

type Stream = WebSocketStream<TcpStream>;

impl WebSockets {
    /// Listens on a free port.
    pub fn start() -> Self {
        // Its connections are open files of the test's process. A limit that cannot be raised may be high enough.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let (addr, seen) = (Arc::new(Mutex::new(None)), Arc::new(Seen::new()));
        let (bound, counting) = (Arc::clone(&addr), Arc::clone(&seen));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(serve(&bound, &counting));
        });
        let listens = || *addr.lock().unwrap_or_else(PoisonError::into_inner);
        wait_for("the server to listen", || listens().is_some());
        Self { addr: listens().expect("it listens"), seen }
    }

    /// Returns `host:port`.
    pub fn address(&self) -> String {
        self.addr.to_string()
    }

    /// Returns `ws://host:port`.
    pub fn base_url(&self) -> String {
        format!("ws://{}", self.addr)
    }

    /// Waits until no connection is open, and returns the counts.
    ///
    /// # Panics
    /// A connection stays open.
    #[track_caller]
    pub fn settled(&self) -> Counted {
        wait_for("every connection to be closed", || self.seen.counted().open == 0);
        self.seen.counted().clone()
    }
}

impl Seen {
    fn new() -> Self {
        Self { counted: Mutex::default(), open: watch::Sender::new(0) }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) {
        let mut counted = self.counted();
        counted.opened += 1;
        counted.open += 1;
        counted.most_open = counted.most_open.max(counted.open);
        self.open.send_replace(counted.open);
    }

    fn closed(&self) {
        let mut counted = self.counted();
        counted.open -= 1;
        self.open.send_replace(counted.open);
    }
}

async fn serve(bound: &Mutex<Option<SocketAddr>>, seen: &Arc<Seen>) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let listener = socket.listen(QUEUE).expect("a listener");
    *bound.lock().unwrap_or_else(PoisonError::into_inner) = listener.local_addr().ok();
    while let Ok((stream, _)) = listener.accept().await {
        let seen = Arc::clone(seen);
        tokio::spawn(async move {
            let mut greeted = Greeted::default();
            if let Ok(mut stream) = accept_hdr_async(stream, &mut greeted).await {
                seen.opened();
                // Tests check how a connection ends; the server does not.
                let _ = act(&mut stream, &greeted, &seen).await;
                seen.closed();
            }
        });
    }
}

/// The parts of a handshake that decide how the server acts.
#[derive(Default)]
struct Greeted {
    path: String,
    authorization: String,
    /// The fields `authorization` and `cookie`, by which a test tells users apart.
    known: String,
}

impl Callback for &mut Greeted {
    /// Rejects the handshake below `/refuse`, sets a cookie below `/known`, and picks the last of the sub-protocols
    /// offered.
    fn on_request(self, request: &Request, mut reply: Response) -> Result<Response, ErrorResponse> {
        let field = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.path = request.uri().path().to_owned();
        self.authorization = field("authorization").to_owned();
        self.known = format!("{}|{}", field("authorization"), field("cookie"));
        if self.path.starts_with("/known") {
            reply.headers_mut().insert("set-cookie", HeaderValue::from_static("seat=7; Path=/"));
        }
        if self.path.starts_with("/refuse") {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            return Err(refusal);
        }
        let offered = field("sec-websocket-protocol").split(", ");
        if let Some(protocol) = offered.last().filter(|protocol| !protocol.is_empty()) {
            let picked = HeaderValue::from_str(protocol).expect("a token");
            reply.headers_mut().insert("sec-websocket-protocol", picked);
        }
        Ok(reply)
    }
}

/// Acts as the path says; by default, sends every message back.
async fn act(stream: &mut Stream, greeted: &Greeted, seen: &Seen) -> Result<(), Error> {
    let (what, how) = greeted.path[1..].split_once('/').unwrap_or((&greeted.path[1..], ""));
    match what {
        // Sends nothing until that many connections are open.
        "together" => {
            let number = how.parse().unwrap_or(u64::MAX);
            let _ = seen.open.subscribe().wait_for(|open| *open >= number).await;
        }
        "known" => send(stream, Message::text(greeted.known.as_str()), seen).await?,
        "authorization" => send(stream, Message::text(greeted.authorization.as_str()), seen).await?,
        "bytes" => send(stream, Message::binary(vec![7; how.parse().unwrap_or(0)]), seen).await?,
        "ping" => stream.send(Message::Ping("are you there".into())).await?,
        "feed" => {
            for number in 0..3 {
                send(stream, Message::text(format!("{{\"number\": {number}, \"of\": [0, 1, 2]}}")), seen).await?;
            }
        }
        _ => {}
    }
    while let Some(message) = stream.next().await {
        let message = message?;
        match &message {
            Message::Close(frame) => seen.counted().codes.push(frame.as_ref().map_or(0, |frame| frame.code.into())),
            Message::Pong(_) => send(stream, Message::text("you are"), seen).await?,
            Message::Text(_) | Message::Binary(_) => {
                seen.counted().messages_in += 1;
                answer(stream, message, (what, how), seen).await?;
            }
            Message::Ping(_) | Message::Frame(_) => {}
        }
    }
    Ok(())
}

async fn answer(stream: &mut Stream, message: Message, (what, how): (&str, &str), seen: &Seen) -> Result<(), Error> {
    match what {
        "silent" => Ok(()),
        "close" => {
            let code = how.parse().unwrap_or(1000).into();
            stream.close(Some(CloseFrame { code, reason: "enough".into() })).await
        }
        // Closes its side of the connection without a close frame, and reads on.
        "half" => Ok(stream.get_mut().shutdown().await?),
        // Ends as if the process had been killed.
        "drop" => Err(Error::ConnectionClosed),
        _ => send(stream, message, seen).await,
    }
}

async fn send(stream: &mut Stream, message: Message, seen: &Seen) -> Result<(), Error> {
    seen.counted().messages_out += 1;
    stream.send(message).await
}

/// Returns the reply to a handshake, for servers that do not speak WebSocket after it.
pub fn switching(request: &RawRequest, key: Option<&str>) -> Vec<u8> {
    let right = derive_accept_key(request.header("sec-websocket-key").as_bytes());
    let reply = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n";
    format!("{reply}sec-websocket-accept: {}\r\n\r\n", key.unwrap_or(&right)).into_bytes()
}
