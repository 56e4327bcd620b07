//! An HTTP/2 server (RFC 9113) that a test scripts frame by frame, for replies that no ordinary server sends: bodies
//! that end too early, trailers that are missing, connections that close.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Length of the preface, which a client sends first.
pub(crate) const PREFACE: usize = 24;

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
    /// A piece of the content.
    Data(Vec<u8>),
    /// The end of the reply, with one field in the trailer section.
    Trailer(&'static str, &'static str),
    /// The end of the reply, without a trailer section.
    End,
    /// The end of the stream, with this error code.
    Reset(u32),
    /// The end of the connection.
    Close,
}

/// A server that gives the same reply to every request, as soon as some of the request's content has arrived.
pub struct Http2Server {
    addr: SocketAddr,
}

impl Http2Server {
    /// Listens on a free port until the tests end.
    pub fn start(reply: impl Into<Vec<Part>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let reply: Arc<[Part]> = reply.into().into();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let reply = Arc::clone(&reply);
                // A client that disconnects ends its connection and nothing else.
                thread::spawn(move || serve(&stream, &reply).unwrap_or_default());
            }
        });
        Self { addr }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

fn serve(mut stream: &TcpStream, reply: &[Part]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.read_exact(&mut [0; PREFACE])?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    let mut answered = 0;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload)?;
        let id = u32::from_be_bytes(id);
        match (kind, flags) {
            (SETTINGS, 0) => stream.write_all(&frame(SETTINGS, ACK, 0, &[]))?,
            (PING, 0) => stream.write_all(&frame(PING, ACK, 0, &payload))?,
            // Content arrives in several frames, and stream numbers rise.
            (HEADERS | DATA, flags) if (kind == DATA || flags & END_STREAM > 0) && id > answered => {
                answered = id;
                answer(stream, id, reply)?;
            }
            _ => {}
        }
    }
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
            Self::Head(content_type) => {
                // The first is `:status 200` in the static table (RFC 7541 appendix A).
                let fields = [&[0x88], field("content-type", content_type).as_slice()].concat();
                frame(HEADERS, END_HEADERS, stream, &fields)
            }
            Self::Data(content) => frame(DATA, 0, stream, content),
            Self::Trailer(name, value) => frame(HEADERS, END_HEADERS | END_STREAM, stream, &field(name, value)),
            Self::End => frame(DATA, END_STREAM, stream, &[]),
            Self::Reset(code) => frame(RST_STREAM, 0, stream, &code.to_be_bytes()),
            Self::Close => return None,
        })
    }
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
