//! A server that misbehaves as a test says: a list of acts, gone through on each connection. It counts what it received
//! and what it sent, so that a report can be compared with it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, SockRef, Socket, Type};

use crate::http2::{ACK, DATA, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, SETTINGS, frame};
use crate::{RawRequest, switching};

/// The time between two bytes of a slow server, in which it listens for the end of the connection.
const DRIP: Duration = Duration::from_millis(20);

/// One thing that the server does on a connection. After the last one it closes its side, and reads the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Reads a request of HTTP/1.1 with its body.
    Request,
    /// Reads the preface of HTTP/2 and sends a SETTINGS frame with this payload.
    Preface(Vec<u8>),
    /// Reads a whole request of HTTP/2. Later frames belong to its stream.
    Stream,
    /// Reads a line.
    Line,
    /// Accepts the WebSocket handshake that was read last.
    Switch,
    /// Reads a WebSocket message of less than 126 bytes.
    Message,
    /// Reads what arrives first, such as the beginning of a TLS handshake.
    Any,
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends bytes one at a time, without a pause.
    Bytewise(Vec<u8>),
    /// Sends bytes one at a time, with a pause after each.
    Drip(Vec<u8>),
    /// Sends the same bytes until the client ends the connection.
    Endless(Vec<u8>),
    /// Sends an HTTP/2 frame on the request's stream: its type, its flags and its payload.
    Frame(u8, u8, Vec<u8>),
    /// Sends an HTTP/2 frame that concerns the connection.
    Control(u8, u8, Vec<u8>),
    /// Sends GOAWAY with this error code; the request's stream was processed, or not.
    GoAway(bool, u32),
    /// Sends nothing and waits until the client ends the connection.
    Hold,
    /// Closes its side, and waits until the client ends the connection.
    HalfClose,
    /// Closes the connection with RST.
    Reset,
    /// Begins again with the first act; with HTTP/2, with the second.
    Again,
}

/// The counts of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Connections accepted.
    pub connections: u64,
    /// Requests, messages or lines read as a whole.
    pub requests: u64,
    /// Bytes received, without TLS.
    pub bytes_in: u64,
    /// Bytes sent, without TLS.
    pub bytes_out: u64,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

/// A server that goes through the same acts on every connection.
pub struct FaultServer {
    addr: SocketAddr,
    tls: bool,
    /// The address of the connection that ends the server.
    last: Arc<Mutex<Option<SocketAddr>>>,
    accepting: JoinHandle<u64>,
    counts: Arc<Counts>,
}

impl FaultServer {
    /// Listens on a free port of `127.0.0.1`, without TLS or with it.
    pub fn start(acts: &[Act], tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let (last, counts) = (Arc::new(Mutex::new(None)), Arc::new(Counts::default()));
        let has_tls = tls.is_some();
        let server = (Arc::<[Act]>::from(acts), tls, Arc::clone(&last), Arc::clone(&counts));
        let accepting = thread::spawn(move || {
            let (acts, tls, last, counts) = server;
            let mut connections = Vec::new();
            for stream in listener.incoming().flatten() {
                let ends = *last.lock().unwrap_or_else(PoisonError::into_inner);
                if ends.is_some() && stream.peer_addr().ok() == ends {
                    break;
                }
                let (acts, tls, counts) = (Arc::clone(&acts), tls.clone(), Arc::clone(&counts));
                connections.push(thread::spawn(move || serve(stream, &acts, tls, &counts)));
            }
            let number = connections.len() as u64;
            connections.into_iter().for_each(|connection| drop(connection.join()));
            number
        });
        Self { addr, tls: has_tls, last, accepting, counts }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Returns `host:port`.
    pub fn address(&self) -> String {
        self.addr.to_string()
    }

    /// Returns `http://host:port` or `https://host:port`.
    pub fn base_url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.addr)
    }

    /// Returns the number of requests so far.
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::SeqCst)
    }

    /// Ends the server once every client has ended its connections, and returns its counts.
    pub fn finish(self) -> Received {
        // Connections are accepted in the order in which they were made, so this one comes after all clients'.
        let end = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        end.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        let own = end.local_addr().ok().and_then(|addr| addr.as_socket());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = own;
        end.connect(&self.addr.into()).expect("the server still listens");
        let connections = self.accepting.join().expect("the server accepts until it is ended");
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let Counts { requests, bytes_in, bytes_out } = &*self.counts;
        let (requests, bytes_in, bytes_out) = (count(requests), count(bytes_in), count(bytes_out));
        Received { connections, requests, bytes_in, bytes_out }
    }
}

/// A stream whose bytes are counted.
struct Counting<'a> {
    stream: Transport,
    counts: &'a Counts,
}

enum Transport {
    Plain(TcpStream),
    Secured(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secured(stream) => stream.get_ref(),
        }
    }
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.stream {
            Transport::Plain(stream) => stream.read(buffer),
            Transport::Secured(stream) => stream.read(buffer).or_else(|error| match error.kind() {
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => read_only(stream, buffer),
                _ => Err(error),
            }),
        }?;
        self.counts.bytes_in.fetch_add(length as u64, Ordering::SeqCst);
        Ok(length)
    }
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = match &mut self.stream {
            Transport::Plain(stream) => stream.write(bytes),
            Transport::Secured(stream) => stream.write(bytes),
        }?;
        self.counts.bytes_out.fetch_add(length as u64, Ordering::SeqCst);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Transport::Plain(stream) => stream.flush(),
            Transport::Secured(stream) => stream.flush(),
        }
    }
}

/// Reads what arrived before the connection was reset. An ordinary read first writes what is left to write, and fails
/// with it.
fn read_only(stream: &mut StreamOwned<ServerConnection, TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.conn.reader().read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
        if stream.conn.read_tls(&mut stream.sock)? == 0 {
            return Ok(0);
        }
        stream.conn.process_new_packets().map_err(io::Error::other)?;
    }
}

fn serve(tcp: TcpStream, acts: &[Act], tls: Option<Arc<ServerConfig>>, counts: &Counts) {
    let _ = tcp.set_nodelay(true);
    let stream = match tls {
        None => Transport::Plain(tcp),
        Some(config) => {
            let session = ServerConnection::new(config).expect("settings that a server can have");
            Transport::Secured(Box::new(StreamOwned::new(session, tcp)))
        }
    };
    let reader = BufReader::new(Counting { stream, counts });
    let mut connection = Connection { reader, counts, request: None, stream: 0, over: false };
    // A client that disconnects ends its connection and nothing else.
    if connection.play(acts).is_ok() && !connection.over {
        let _ = connection.half_close();
    }
    if !connection.over {
        let _ = io::copy(&mut connection.reader, &mut io::sink());
    }
}

/// A connection in the middle of its acts.
struct Connection<'a> {
    reader: BufReader<Counting<'a>>,
    counts: &'a Counts,
    request: Option<RawRequest>,
    /// The number of the request's HTTP/2 stream.
    stream: u32,
    /// True when nothing is left to read: the connection was reset.
    over: bool,
}

impl Connection<'_> {
    fn play(&mut self, acts: &[Act]) -> io::Result<()> {
        let mut at = 0;
        while let Some(act) = acts.get(at).filter(|_| !self.over) {
            at += 1;
            if matches!(act, Act::Again) {
                at = usize::from(matches!(acts[0], Act::Preface(_)));
            } else {
                self.act(act)?;
            }
        }
        Ok(())
    }

    fn act(&mut self, act: &Act) -> io::Result<()> {
        match act {
            Act::Request => self.request()?,
            Act::Preface(settings) => {
                self.reader.read_exact(&mut [0; PREFACE])?;
                self.send(&frame(SETTINGS, 0, 0, settings))?;
            }
            Act::Stream => self.stream()?,
            Act::Line => {
                let length = self.reader.read_line(&mut String::new())?;
                if length == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.counted();
            }
            Act::Switch => {
                let reply = switching(self.request.as_ref().ok_or(io::ErrorKind::NotFound)?, None);
                self.send(&reply)?;
            }
            Act::Message => {
                let mut head = [0; 2];
                self.reader.read_exact(&mut head)?;
                self.reader.read_exact(&mut vec![0; usize::from(head[1] & 127) + 4])?;
            }
            Act::Any => {
                let length = self.reader.fill_buf()?.len();
                self.reader.consume(length);
            }
            Act::Send(bytes) => self.send(bytes)?,
            Act::Bytewise(bytes) => bytes.chunks(1).try_for_each(|byte| self.send(byte))?,
            Act::Drip(bytes) => self.drip(bytes)?,
            Act::Endless(bytes) => loop {
                self.send(bytes)?;
            },
            Act::Frame(kind, flags, payload) => self.send(&frame(*kind, *flags, self.stream, payload))?,
            Act::Control(kind, flags, payload) => self.send(&frame(*kind, *flags, 0, payload))?,
            Act::GoAway(processed, code) => {
                let last = if *processed { self.stream } else { 0 };
                self.send(&frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat()))?;
            }
            Act::Hold => drop(io::copy(&mut self.reader, &mut io::sink())?),
            Act::HalfClose => {
                self.half_close()?;
                io::copy(&mut self.reader, &mut io::sink())?;
            }
            Act::Reset => {
                SockRef::from(self.reader.get_ref().stream.tcp()).set_linger(Some(Duration::ZERO))?;
                self.over = true;
            }
            Act::Again => {}
        }
        Ok(())
    }

    fn counted(&self) {
        self.counts.requests.fetch_add(1, Ordering::SeqCst);
    }

    fn request(&mut self) -> io::Result<()> {
        self.request = Some(RawRequest::read(&mut self.reader).ok_or(io::ErrorKind::UnexpectedEof)?);
        self.counted();
        Ok(())
    }

    /// Reads frames until a new request is complete. Content arrives in several frames, and stream numbers rise.
    fn stream(&mut self) -> io::Result<()> {
        loop {
            let mut head = [0; 9];
            self.reader.read_exact(&mut head)?;
            let [a, b, c, kind, flags, id @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.reader.read_exact(&mut payload)?;
            let id = u32::from_be_bytes(id);
            match kind {
                SETTINGS if flags & ACK == 0 => self.send(&frame(SETTINGS, ACK, 0, &[]))?,
                PING if flags & ACK == 0 => self.send(&frame(PING, ACK, 0, &payload))?,
                HEADERS | DATA if flags & END_STREAM > 0 && id > self.stream => {
                    self.stream = id;
                    self.counted();
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)?;
        self.reader.get_mut().flush()
    }

    /// Sends bytes slowly. A client that ends the connection meanwhile ends it for the server too.
    fn drip(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            self.send(&[*byte])?;
            self.reader.get_ref().stream.tcp().set_read_timeout(Some(DRIP))?;
            match self.reader.fill_buf() {
                Ok([]) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        self.reader.get_ref().stream.tcp().set_read_timeout(None)
    }

    fn half_close(&mut self) -> io::Result<()> {
        if let Transport::Secured(stream) = &mut self.reader.get_mut().stream {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        self.reader.get_ref().stream.tcp().shutdown(Shutdown::Write)
    }
}
