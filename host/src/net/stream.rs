//! Byte streams for protocols that are not HTTP: opened as HTTP's connections are, with the same names, addresses,
//! grants and trust; what passes over them is somebody else's business.

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

use super::connect;
use super::connector::Connector;
use super::failure::Failure;
use super::grants::{Grants, Reach};
use super::meter::Meter;
use super::origin::Origin;

/// Where a stream leads, granted.
pub struct Destination {
    host: String,
    port: u16,
    reach: Reach,
    tls: Option<StreamTls>,
}

/// How a stream is secured.
pub struct StreamTls {
    /// The name that the certificate must be for; the destination's host if `None`.
    pub server_name: Option<String>,
    /// The protocols offered (ALPN), the favourite first.
    pub protocols: Vec<Vec<u8>>,
}

impl Destination {
    /// A host and port, if they are among these grants.
    ///
    /// # Errors
    /// That is no host, or it is not granted.
    pub fn granted(host: &str, port: u16, tls: Option<StreamTls>, grants: &Rc<Grants>) -> Result<Self, Failure> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // As URLs read them: `0x7f.1` is an address here, and not a name that the resolver takes for one.
        let host = match bare.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => match Host::parse(bare) {
                Ok(Host::Domain(name)) => name,
                Ok(Host::Ipv4(address)) => address.to_string(),
                _ => return Err(Failure::network("the destination is no host")),
            },
        };
        let reach = grants.reach(&host, port);
        let denied = || Failure::network(format!("a connection to `{host}:{port}`, which is not granted"));
        Ok(Self { reach: reach.ok_or_else(denied)?, host, port, tls })
    }

    /// An origin, for HTTP/1.1.
    pub fn of(origin: &Origin) -> Self {
        let security = || StreamTls { server_name: None, protocols: vec![b"http/1.1".to_vec()] };
        let (host, port, reach) = (origin.host().to_owned(), origin.port(), origin.reach().clone());
        Self { host, port, reach, tls: origin.is_https().then(security) }
    }
}

/// An open stream.
pub enum Stream {
    /// In clear.
    Plain(TcpStream),
    /// To somebody in this process, in a rehearsal.
    InProcess(DuplexStream),
    /// Above TLS.
    Secure(Box<TlsStream<TcpStream>>),
    /// One on which something had been said already.
    Prefixed(Box<PrefixedStream>),
}

/// A stream, and what was read from it together with what came before.
pub struct PrefixedStream {
    prefix: Vec<u8>,
    /// How many of these bytes are taken.
    consumed: usize,
    inner: Stream,
}

impl Stream {
    /// Opens a stream; how long each part of that took is noted.
    ///
    /// # Errors
    /// The name does not resolve, nobody accepts, or the handshake fails.
    pub async fn open(connector: &Connector, to: &Destination, meter: &Meter) -> Result<Self, Failure> {
        if let Some(dial) = &connector.dial {
            return Ok(Self::InProcess(Arc::clone(dial).dial()));
        }
        let tcp = connect::connect_tcp(connector, (&to.host, to.port), &to.reach, meter).await?;
        let Some(tls) = &to.tls else { return Ok(Self::Plain(tcp)) };
        let name = tls.server_name.as_ref().unwrap_or(&to.host).clone();
        let name = ServerName::try_from(name).map_err(|_| Failure::network("tls: that is no server name"))?;
        let begun = connector.now();
        let secured = connector.tls.connector(&tls.protocols).connect(name, tcp).await;
        let secured = secured.map_err(|error| Failure::of_handshake(&error))?;
        meter.update(|measured| measured.phases.tls = Some(connector.now() - begun));
        Ok(Self::Secure(Box::new(secured)))
    }

    /// The protocol that the server picked.
    pub fn protocol(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) | Self::InProcess(_) => None,
            Self::Secure(stream) => stream.get_ref().1.alpn_protocol(),
            Self::Prefixed(stream) => stream.inner.protocol(),
        }
    }

    /// Says goodbye, as far as that can be said at once.
    pub fn close(&mut self) {
        let _ = Pin::new(self).poll_shutdown(&mut Context::from_waker(std::task::Waker::noop()));
    }

    /// The same stream behind these bytes, which have been read from it.
    pub fn with_prefix(self, early: Vec<u8>) -> Self {
        if early.is_empty() {
            self
        } else {
            Self::Prefixed(Box::new(PrefixedStream { prefix: early, consumed: 0, inner: self }))
        }
    }

    /// What went wrong on a stream that was open.
    pub fn failure(error: &io::Error) -> Failure {
        Failure::of_connection(error, false)
    }
}

impl PrefixedStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let early = &self.prefix[self.consumed..];
        if early.is_empty() {
            // A connection that lives long holds no buffer for its beginning.
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
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::InProcess(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Prefixed(stream) => stream.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::InProcess(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Prefixed(stream) => Pin::new(&mut stream.inner).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::InProcess(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
            Self::Prefixed(stream) => Pin::new(&mut stream.inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::InProcess(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Prefixed(stream) => Pin::new(&mut stream.inner).poll_shutdown(cx),
        }
    }
}
