//! Byte streams for protocols other than HTTP. They are opened as HTTP's connections are, with the same names,
//! addresses, grants and trusted certificates; this module does not look at what passes over them.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::connector::Connector;
use super::failure::Failure;
use super::grants::{Grants, Reach, not_granted};
use super::meter::{ExchangeStage, Meter};
use super::open_connections::OpenConnection;
use super::origin::Origin;
use super::tcp::{self, ConnectionOwner, Peer};

/// A destination that the grants allow.
pub struct Destination {
    host: String,
    port: u16,
    reach: Reach,
    tls: Option<StreamTls>,
}

/// TLS settings of a stream.
pub struct StreamTls {
    /// The name that the certificate must be for; the destination's host if `None`.
    pub server_name: Option<String>,
    /// Protocols offered (ALPN), the preferred one first.
    pub protocols: Vec<Vec<u8>>,
}

impl Destination {
    /// Returns the destination for a host and port, if they are among these grants.
    ///
    /// # Errors
    /// The text is not a host, or the host is not granted.
    pub fn granted(host: &str, port: u16, tls: Option<StreamTls>, grants: &Rc<Grants>) -> Result<Self, Failure> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // Parsed as in URLs: `0x7f.1` is an address here, not a name that the resolver would take for one.
        let host = match bare.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => match Host::parse(bare) {
                Ok(Host::Domain(name)) => name,
                Ok(Host::Ipv4(address)) => address.to_string(),
                _ => return Err(Failure::network("the destination is not a host")),
            },
        };
        let reach = grants.reach(&host, port);
        let denied = || Failure::network(format!("a connection to {}", not_granted(&host, port)));
        Ok(Self { reach: reach.ok_or_else(denied)?, host, port, tls })
    }

    /// Returns the host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns `true` if TLS begins when the stream is opened.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns the destination for an origin, with HTTP/1.1 as the offered protocol.
    pub fn of(origin: &Origin) -> Self {
        let security = || StreamTls { server_name: None, protocols: vec![b"http/1.1".to_vec()] };
        let (host, port, reach) = (origin.host().to_owned(), origin.port(), origin.reach().clone());
        Self { host, port, reach, tls: origin.is_https().then(security) }
    }
}

/// An open stream.
pub enum Stream {
    /// A stream in clear text.
    Plain(TcpStream, OpenConnection),
    /// A stream to a peer in this process, in a rehearsal, and the protocol that the peer picked (ALPN).
    InProcess(DuplexStream, Option<Box<[u8]>>),
    /// A stream over TLS.
    Secure(Box<TlsStream<TcpStream>>, OpenConnection),
    /// A stream from which some bytes were read before.
    Prefixed(Box<PrefixedStream>),
}

/// A stream with bytes that were read from it early, together with what came before them.
pub struct PrefixedStream {
    prefix: Vec<u8>,
    /// Bytes of the prefix that were taken.
    consumed: usize,
    inner: Stream,
}

impl Stream {
    /// Opens a stream for a user, and notes in `meter` how long each part of that took.
    ///
    /// # Errors
    /// The name does not resolve, no address accepts, or the handshake fails.
    pub async fn open(
        connector: &Connector,
        to: &Destination,
        owner: ConnectionOwner,
        meter: &Meter,
    ) -> Result<Self, Failure> {
        if let Some(dial) = &connector.dial {
            let protocol = to.tls.as_ref().and_then(|tls| dial.pick_protocol(&tls.protocols));
            return Ok(Self::InProcess(Arc::clone(dial).dial(), protocol.map(Into::into)));
        }
        let peer = Peer { host: &to.host, port: to.port, reach: &to.reach, owner };
        let tcp = tcp::connect(connector, peer, meter).await?;
        let open = connector.open.open();
        match &to.tls {
            None => Ok(Self::Plain(tcp, open)),
            Some(tls) => {
                handshake(connector, tcp, &to.host, tls, meter).await.map(|secured| Self::Secure(secured, open))
            }
        }
    }

    /// Begins TLS on a stream in clear to a host, and notes in `meter` how long that took.
    ///
    /// # Errors
    /// It is over TLS, bytes of a prefix are unread, or the handshake fails.
    pub async fn secure(
        self,
        connector: &Connector,
        host: &str,
        tls: &StreamTls,
        meter: &Meter,
    ) -> Result<Self, Failure> {
        match self {
            Self::Plain(tcp, open) => {
                handshake(connector, tcp, host, tls, meter).await.map(|secured| Self::Secure(secured, open))
            }
            Self::InProcess(stream, protocol) => match &connector.dial {
                Some(dial) => {
                    dial.secure().await?;
                    Ok(Self::InProcess(stream, dial.pick_protocol(&tls.protocols).map(Into::into)))
                }
                None => Ok(Self::InProcess(stream, protocol)),
            },
            Self::Prefixed(prefixed) if prefixed.consumed == prefixed.prefix.len() => {
                Box::pin(prefixed.inner.secure(connector, host, tls, meter)).await
            }
            Self::Prefixed(_) => Err(Failure::protocol("bytes in clear are unread")),
            Self::Secure(..) => Err(Failure::protocol("TLS has begun before")),
        }
    }

    /// Returns the protocol that the server picked (ALPN).
    pub fn protocol(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(..) => None,
            Self::InProcess(_, protocol) => protocol.as_deref(),
            Self::Secure(stream, _) => stream.get_ref().1.alpn_protocol(),
            Self::Prefixed(stream) => stream.inner.protocol(),
        }
    }

    /// Closes the stream, with the closing alert of TLS unless that would block.
    pub fn close(&mut self) {
        let _ = Pin::new(self).poll_shutdown(&mut Context::from_waker(std::task::Waker::noop()));
    }

    /// Returns the stream with these bytes, which were read from it before, put in front.
    pub fn with_prefix(self, early: Vec<u8>) -> Self {
        if early.is_empty() {
            self
        } else {
            Self::Prefixed(Box::new(PrefixedStream { prefix: early, consumed: 0, inner: self }))
        }
    }

    /// Classifies an error on a stream that was open.
    pub fn failure(error: &io::Error) -> Failure {
        Failure::of_connection(error, false)
    }
}

/// Makes a TLS handshake with a host, and notes in `meter` how long it took.
async fn handshake(
    connector: &Connector,
    tcp: TcpStream,
    host: &str,
    tls: &StreamTls,
    meter: &Meter,
) -> Result<Box<TlsStream<TcpStream>>, Failure> {
    let name = tls.server_name.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(|_| Failure::network("tls: the server name is not valid"))?;
    let begun = connector.now();
    meter.update(|measured| measured.stage = ExchangeStage::Handshake);
    let secured = connector.tls.secure(tcp, name, &tls.protocols).await?;
    meter.update(|measured| {
        measured.ends.tls = connector.now();
        measured.phases.tls = Some(measured.ends.tls - begun);
        measured.stage = ExchangeStage::Connected;
    });
    Ok(Box::new(secured))
}

impl PrefixedStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let early = &self.prefix[self.consumed..];
        if early.is_empty() {
            // A long-lived connection does not keep a buffer for its beginning.
            (self.prefix, self.consumed) = (Vec::new(), 0);
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let length = early.len().min(buf.remaining());
        buf.put_slice(&early[..length]);
        self.consumed += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Self::InProcess(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Self::Secure(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Self::Prefixed(stream) => stream.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_write(cx, buf),
            Self::InProcess(stream, _) => Pin::new(stream).poll_write(cx, buf),
            Self::Secure(stream, _) => Pin::new(stream).poll_write(cx, buf),
            Self::Prefixed(stream) => Pin::new(&mut stream.inner).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_flush(cx),
            Self::InProcess(stream, _) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream, _) => Pin::new(stream).poll_flush(cx),
            Self::Prefixed(stream) => Pin::new(&mut stream.inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Self::InProcess(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Self::Prefixed(stream) => Pin::new(&mut stream.inner).poll_shutdown(cx),
        }
    }
}
