//! Opens a connection: resolve, connect, TLS. Each is a phase of the exchange that needed it.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper::http::uri::PathAndQuery;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

use super::connector::Connector;
use super::dns;
use super::failure::{Failure, NO_HTTP2};
use super::grants::Reach;
use super::meter::Meter;
use super::origin::Origin;
use super::version::Version;

/// A connection in clear text or over TLS. The TLS state takes more than a kilobyte, so it is boxed: a plain connection
/// does not reserve room for it.
pub(crate) enum Transport {
    /// A connection in clear text.
    Plain(TcpStream),
    /// A connection to a peer in this process, in a rehearsal.
    InProcess(DuplexStream),
    /// A connection over TLS.
    Secure(Box<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>>),
}

impl Transport {
    /// Returns `true` for a connection over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Secure(_))
    }

    /// Sends the closing alert of TLS, unless that would block: a server may take a TLS connection that ends without
    /// one for truncated (RFC 8446 section 6.1).
    pub(crate) fn close(&mut self) {
        if self.is_secure() {
            let _ = Pin::new(self).poll_shutdown(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// A connection on which nothing has been sent.
pub(crate) struct NewTransport {
    /// The connection.
    pub transport: Transport,
    /// True when HTTP/2 is to be spoken on it.
    pub http2: bool,
}

/// Opens a connection for an exchange.
///
/// # Errors
/// The name does not resolve or resolves to no address that is granted, no address accepts, the TLS handshake fails, or
/// the server does not offer the version.
pub(crate) async fn open(
    connector: &Connector,
    origin: &Origin,
    version: Version,
    meter: &Meter,
) -> Result<NewTransport, Failure> {
    if let Some(dial) = &connector.dial {
        let transport = Transport::InProcess(Arc::clone(dial).dial());
        let offered = if version == Version::Http2 { Err(Failure::network(NO_HTTP2)) } else { Ok(()) };
        return offered.map(|()| NewTransport { transport, http2: false });
    }
    let tcp = connect_tcp(connector, origin.host(), origin.port(), origin.reach(), meter).await?;
    if !origin.is_https() {
        return Ok(NewTransport { transport: Transport::Plain(tcp), http2: version == Version::Http2 });
    }
    let start = connector.now();
    let secured = connector.tls.handshake(tcp, origin.absolute(None, PathAndQuery::from_static("/")), version).await?;
    meter.update(|measured| measured.phases.tls = Some(connector.now() - start));
    if version == Version::Http2 && !secured.http2 {
        return Err(Failure::network(NO_HTTP2));
    }
    Ok(NewTransport { transport: Transport::Secure(Box::new(secured.stream)), http2: secured.http2 })
}

/// Resolves the name, unless it is an address, and connects to an address within `reach`.
///
/// # Errors
/// The name does not resolve or resolves to no address within `reach`, or no address accepts.
pub(super) async fn connect_tcp(
    connector: &Connector,
    host: &str,
    port: u16,
    reach: &Reach,
    meter: &Meter,
) -> Result<TcpStream, Failure> {
    let addresses = match host.parse() {
        Ok(address) => Rc::from([address]),
        Err(_) => resolve(connector, host, meter).await?,
    };
    let granted: Vec<_> = addresses.iter().copied().filter(|address| reach.covers(*address, port)).collect();
    if let (Some(address), []) = (addresses.first(), granted.as_slice()) {
        return Err(Failure::network(format!("{host} resolves to {address}, which is not granted")));
    }
    let begun = connector.now();
    let tcp = connect_to_any(&granted, port).await.map_err(|error| Failure::of_io(&error))?;
    meter.update(|measured| measured.phases.connect = Some(connector.now() - begun));
    Ok(tcp)
}

/// Returns the addresses of a host. A cached answer takes no time and is not a phase.
async fn resolve(connector: &Connector, host: &str, meter: &Meter) -> Result<Rc<[IpAddr]>, Failure> {
    let begun = connector.now();
    let resolved = connector.names.resolve(host, connector.clock, dns::system_lookup).await;
    if resolved.waited {
        meter.update(|measured| measured.phases.dns = Some(connector.now() - begun));
    }
    resolved.addresses.ok_or_else(|| Failure::network(format!("name does not resolve: {host}")))
}

/// Connects to the first address that accepts. Returns the error of the last one if none does.
async fn connect_to_any(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for &address in addresses {
        outcome = TcpStream::connect((address, port)).await;
        if outcome.is_ok() {
            break;
        }
    }
    let tcp = outcome?;
    // Requests are written whole, so waiting for more to send (Nagle) would only add to the latency.
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::InProcess(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::InProcess(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::InProcess(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::InProcess(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::InProcess(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::InProcess(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
