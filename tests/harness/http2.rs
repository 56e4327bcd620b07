//! An HTTP/2 server (RFC 9113) that a test scripts frame by frame, for replies that no ordinary server sends: bodies
//! that end too early, trailers that are missing, connections that close.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Length of the preface, which a client sends first.
pub(crate) const PREFACE: usize = 24;

/// The setting that limits the streams of the client (RFC 9113 section 6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;

/// Content of a request or reply.
pub const DATA: u8 = 0;
/// Fields of a request or reply.
pub const HEADERS: u8 = 1;
/// The end of a stream that fails.
pub const RST_STREAM: u8 = 3;
/// Settings of the sender.
pub const SETTINGS: u8 = 4;
/// A reply that the client did not ask for.
pub const PUSH_PROMISE: u8 = 5;
/// A question whether the peer is there.
pub const PING: u8 = 6;
/// The end of a connection for new requests.
pub const GOAWAY: u8 = 7;
/// More fields.
pub const CONTINUATION: u8 = 9;

/// The flag of a frame that ends its stream.
pub const END_STREAM: u8 = 1;
/// The flag of an acknowledgement.
pub const ACK: u8 = 1;
/// The flag of a frame that ends the fields.
pub const END_HEADERS: u8 = 4;

/// A part of a reply.
#[derive(Clone, Debug)]
pub enum Part {
    /// Status 200 and this content type.
    Head(&'static str),
    /// Status 200 and these fields.
    Fields(Vec<(&'static str, &'static str)>),
    /// A piece of the content.
    Data(Vec<u8>),
    /// The end of the reply, with one field in the trailer section.
    Trailer(&'static str, &'static str),
    /// The end of the reply, without a trailer section.
    End,
    /// The end of the stream, with this error code.
    Reset(u32),
    /// The announcement, with this error code, that the connection ends; this request and later ones are not processed.
    GoAwayBefore(u32),
    /// The announcement; this request is the last that is processed.
    GoAwayAfter(u32),
    /// The end of the connection.
    Close,
}

/// A request, by its place.
#[derive(Clone, Copy, Debug)]
pub struct Http2Request {
    /// Number of its connection, from 1.
    pub connection: usize,
    /// Its number on the connection, from 1.
    pub number: usize,
}

/// Counts of a server so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Http2Counts {
    /// Connections accepted.
    pub connections: usize,
    /// Requests whose reply has a head.
    pub answered: u64,
    /// Requests that arrived before the client could know that it may send any.
    pub early: u64,
    /// The most requests that were open at once on a connection.
    pub most_open: usize,
}

/// A server that answers each request as soon as some of its content has arrived.
pub struct Http2Server {
    addr: SocketAddr,
    counts: Arc<Mutex<Http2Counts>>,
}

type Replies = dyn Fn(Http2Request) -> Vec<Part> + Send + Sync;

impl Http2Server {
    /// Listens on a free port until the tests end, and gives the same reply to every request.
    pub fn start(reply: impl Into<Vec<Part>>) -> Self {
        let reply = reply.into();
        Self::answering(move |_| reply.clone())
    }

    /// Listens on a free port until the tests end.
    pub fn answering(reply: impl Fn(Http2Request) -> Vec<Part> + Send + Sync + 'static) -> Self {
        Self::serve(Welcome::default(), Arc::new(reply))
    }

    /// Listens as [`Self::answering`] does, and allows no stream at first, and then this many at once: a request is
    /// answered only when the client has had the time to send more.
    pub fn allowing(streams: u32, reply: impl Fn(Http2Request) -> Vec<Part> + Send + Sync + 'static) -> Self {
        Self::serve(Welcome { streams: Some(streams), ..Welcome::default() }, Arc::new(reply))
    }

    /// Listens as [`Self::allowing`] does, but sends these parts on its first connections instead of allowing a stream.
    pub fn turning_away(
        connections: usize,
        parts: impl Into<Vec<Part>>,
        reply: impl Fn(Http2Request) -> Vec<Part> + Send + Sync + 'static,
    ) -> Self {
        let turned_away = (connections, parts.into());
        Self::serve(Welcome { streams: Some(100), turned_away }, Arc::new(reply))
    }

    fn serve(welcome: Welcome, reply: Arc<Replies>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let counts = Arc::new(Mutex::new(Http2Counts::default()));
        let counting = Arc::clone(&counts);
        thread::spawn(move || {
            for (connection, stream) in (1..).zip(listener.incoming().flatten()) {
                lock(&counting).connections = connection;
                let (reply, counts, welcome) = (Arc::clone(&reply), Arc::clone(&counting), welcome.clone());
                // A client that disconnects ends its connection and nothing else.
                thread::spawn(move || {
                    let served = Connection { stream: &stream, reply: &*reply, counts: &counts, connection, welcome };
                    served.serve().unwrap_or_default();
                });
            }
        });
        Self { addr, counts }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> Http2Counts {
        *lock(&self.counts)
    }
}

fn lock(counts: &Mutex<Http2Counts>) -> MutexGuard<'_, Http2Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The beginning of connections.
#[derive(Clone, Default)]
struct Welcome {
    /// The streams that are allowed after the client knows that none is.
    streams: Option<u32>,
    /// The number of connections, and what is sent on them instead.
    turned_away: (usize, Vec<Part>),
}

struct Connection<'a> {
    stream: &'a TcpStream,
    reply: &'a Replies,
    counts: &'a Mutex<Http2Counts>,
    connection: usize,
    welcome: Welcome,
}

impl Connection<'_> {
    fn serve(&self) -> io::Result<()> {
        let mut stream = self.stream;
        stream.set_nodelay(true)?;
        stream.read_exact(&mut [0; PREFACE])?;
        stream.write_all(&frame(SETTINGS, 0, 0, &self.welcome.streams.map_or_else(Vec::new, |_| max_streams(0))))?;
        let (mut opened, mut acknowledged, mut number, mut held) = (0, 0, 0, Vec::new());
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head)?;
            let [a, b, c, kind, flags, id @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            stream.read_exact(&mut payload)?;
            let id = u32::from_be_bytes(id);
            match (kind, flags) {
                (SETTINGS, 0) => stream.write_all(&frame(SETTINGS, ACK, 0, &[]))?,
                (SETTINGS, _) => {
                    acknowledged += 1;
                    match self.welcome.streams.filter(|_| acknowledged == 1) {
                        Some(_) if self.connection <= self.welcome.turned_away.0 => {
                            answer(stream, 0, &self.welcome.turned_away.1)?;
                        }
                        Some(streams) => stream.write_all(&frame(SETTINGS, 0, 0, &max_streams(streams)))?,
                        None => {}
                    }
                }
                (PING, 0) => stream.write_all(&frame(PING, ACK, 0, &payload))?,
                (PING, _) => {
                    for (id, number) in std::mem::take(&mut held) {
                        self.answer(id, number)?;
                    }
                }
                // Content arrives in several frames, and stream numbers rise.
                (HEADERS | DATA, flags) if (kind == DATA || flags & END_STREAM > 0) && id > opened => {
                    (opened, number) = (id, number + 1);
                    if self.welcome.streams.is_none() {
                        self.answer(id, number)?;
                        continue;
                    }
                    held.push((id, number));
                    let mut counts = lock(self.counts);
                    counts.early += u64::from(acknowledged < 2);
                    counts.most_open = counts.most_open.max(held.len());
                    stream.write_all(&frame(PING, 0, 0, &[0; 8]))?;
                }
                _ => {}
            }
        }
    }

    fn answer(&self, id: u32, number: usize) -> io::Result<()> {
        let parts = (self.reply)(Http2Request { connection: self.connection, number });
        lock(self.counts).answered +=
            u64::from(parts.iter().any(|part| matches!(part, Part::Head(_) | Part::Fields(_))));
        answer(self.stream, id, &parts)
    }
}

fn max_streams(streams: u32) -> Vec<u8> {
    [&MAX_CONCURRENT_STREAMS.to_be_bytes()[..], &streams.to_be_bytes()].concat()
}

fn answer(mut stream: &TcpStream, id: u32, reply: &[Part]) -> io::Result<()> {
    for part in reply {
        match part.frame(id) {
            Some(frame) => stream.write_all(&frame)?,
            None => stream.shutdown(Shutdown::Write)?,
        }
    }
    Ok(())
}

impl Part {
    /// Returns the bytes to send; `None` for the end of the connection.
    fn frame(&self, stream: u32) -> Option<Vec<u8>> {
        Some(match self {
            Self::Head(content_type) => head(stream, &[("content-type", content_type)]),
            Self::Fields(fields) => head(stream, fields),
            Self::Data(content) => frame(DATA, 0, stream, content),
            Self::Trailer(name, value) => frame(HEADERS, END_HEADERS | END_STREAM, stream, &field(name, value)),
            Self::End => frame(DATA, END_STREAM, stream, &[]),
            Self::Reset(code) => frame(RST_STREAM, 0, stream, &code.to_be_bytes()),
            Self::GoAwayBefore(code) => go_away(stream.saturating_sub(2), *code),
            Self::GoAwayAfter(code) => go_away(stream, *code),
            Self::Close => return None,
        })
    }
}

fn head(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    // The first is `:status 200` in the static table (RFC 7541 appendix A).
    let fields = fields.iter().flat_map(|(name, value)| field(name, value));
    frame(HEADERS, END_HEADERS, stream, &[0x88].into_iter().chain(fields).collect::<Vec<_>>())
}

fn go_away(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

/// Returns a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns a field as a literal that is not indexed (RFC 7541 section 6.2.2).
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| [u8::try_from(text.len()).ok().filter(|length| *length < 127).expect("a short text")];
    [&[0], &length(name), name.as_bytes(), &length(value), value.as_bytes()].concat()
}
