//! A WebSocket server on tokio-tungstenite, with its own account of what it took and sent. What it does on a connection
//! is in the path of its URL.

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

/// How many connections may wait to be accepted.
const QUEUE: u32 = 4096;

/// A server that runs as long as the tests.
pub struct WebSockets {
    addr: SocketAddr,
    seen: Arc<Seen>,
}

/// What it has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Connections that shook hands.
    pub opened: u64,
    /// Those that are open.
    pub open: u64,
    /// The most that were open at once.
    pub most_open: u64,
    /// Text and binary messages that came.
    pub messages_in: u64,
    /// Text and binary messages that were sent.
    pub messages_out: u64,
    /// Codes of close frames that came, in order; 0 for one without a code.
    pub codes: Vec<u16>,
}

struct Seen {
    counted: Mutex<Counted>,
    /// How many connections are open, for those that wait for others.
    open: watch::Sender<u64>,
}

type Stream = WebSocketStream<TcpStream>;

impl WebSockets {
    /// Listens on a free port.
    pub fn start() -> Self {
        // Its connections are open files of the test's process. Where the limit cannot be raised, it may be high enough.
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

    /// `host:port`.
    pub fn address(&self) -> String {
        self.addr.to_string()
    }

    /// `ws://host:port`.
    pub fn base_url(&self) -> String {
        format!("ws://{}", self.addr)
    }

    /// What it has counted, once no connection is open any more.
    ///
    /// # Panics
    /// One stays open.
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
                // How a connection ends is the test's business.
                let _ = act(&mut stream, &greeted, &seen).await;
                seen.closed();
            }
        });
    }
}

/// What a connection was opened with.
#[derive(Default)]
struct Greeted {
    path: String,
    authorization: String,
    /// Whatever the user is known by.
    known: String,
}

impl Callback for &mut Greeted {
    /// Refuses below `/refuse`; hands out a cookie below `/known`; of the sub-protocols offered it picks the last one.
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

/// Does what the path says; by default it sends every message back.
async fn act(stream: &mut Stream, greeted: &Greeted, seen: &Seen) -> Result<(), Error> {
    let (what, how) = greeted.path[1..].split_once('/').unwrap_or((&greeted.path[1..], ""));
    match what {
        // Answers nothing until so many connections are open.
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
        // Ends its side of the connection without a word, and reads on.
        "half" => Ok(stream.get_mut().shutdown().await?),
        // As if the process had died.
        "drop" => Err(Error::ConnectionClosed),
        _ => send(stream, message, seen).await,
    }
}

async fn send(stream: &mut Stream, message: Message, seen: &Seen) -> Result<(), Error> {
    seen.counted().messages_out += 1;
    stream.send(message).await
}

/// The reply to a handshake, for servers that speak no WebSocket after it.
pub fn switching(request: &RawRequest, key: Option<&str>) -> Vec<u8> {
    let right = derive_accept_key(request.header("sec-websocket-key").as_bytes());
    let reply = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n";
    format!("{reply}sec-websocket-accept: {}\r\n\r\n", key.unwrap_or(&right)).into_bytes()
}
