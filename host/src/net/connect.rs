//! Opens a connection for HTTP: TCP, then TLS. Each is a phase of the exchange that needed it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper::http::uri::PathAndQuery;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

use super::connector::{Connector, Dial};
use super::failure::{Failure, NO_HTTP2};
use super::meter::{ExchangeStage, Meter};
use super::open_connections::OpenConnection;
use super::origin::Origin;
use super::tcp::{self, ConnectionOwner, Peer};
use super::version::Version;

/// A connection in clear text or over TLS. The TLS state takes more than a kilobyte, so it is boxed: a plain connection
/// does not reserve room for it.
pub(crate) enum Transport {
    /// A connection in clear text.
    Plain(TcpStream, #[allow(dead_code, reason = "it counts until it is dropped")] OpenConnection),
    /// A connection to a peer in this process, in a rehearsal.
    InProcess(DuplexStream),
    /// A connection over TLS.
    Secure(
        Box<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>>,
        #[allow(dead_code, reason = "it counts until it is dropped")] OpenConnection,
    ),
}

impl Transport {
    /// Returns `true` for a connection over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Secure(..))
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

/// Opens a connection for an exchange of a user.
///
/// # Errors
/// The name does not resolve or resolves to no address that is granted, no address accepts, the TLS handshake fails, or
/// the server does not offer the version.
pub(crate) async fn open(
    connector: &Connector,
    origin: &Origin,
    version: Version,
    owner: ConnectionOwner,
    meter: &Meter,
) -> Result<NewTransport, Failure> {
    if let Some(dial) = &connector.dial {
        let transport = Transport::InProcess(Arc::clone(dial).dial());
        meter.update(|measured| (measured.ends.connect, measured.phases.connect) = (connector.now(), Some(0)));
        let http2 = speaks_http2(dial.as_ref(), origin, version);
        return match version == Version::Http2 && !http2 {
            true => Err(Failure::network(NO_HTTP2)),
            false => Ok(NewTransport { transport, http2 }),
        };
    }
    let tcp = tcp::connect(connector, Peer::of(origin, owner), meter).await?;
    let open = connector.open.open();
    if !origin.is_https() {
        return Ok(NewTransport { transport: Transport::Plain(tcp, open), http2: version == Version::Http2 });
    }
    let start = connector.now();
    meter.update(|measured| measured.stage = ExchangeStage::Handshake);
    let secured = connector.tls.handshake(tcp, origin.absolute(None, PathAndQuery::from_static("/")), version).await?;
    meter.update(|measured| {
        measured.ends.tls = connector.now();
        measured.phases.tls = Some(measured.ends.tls - start);
        measured.stage = ExchangeStage::Connected;
    });
    if version == Version::Http2 && !secured.http2 {
        return Err(Failure::network(NO_HTTP2));
    }
    Ok(NewTransport { transport: Transport::Secure(Box::new(secured.stream), open), http2: secured.http2 })
}

/// Returns `true` if HTTP/2 is to be spoken with a peer in this process.
fn speaks_http2(dial: &dyn Dial, origin: &Origin, version: Version) -> bool {
    const HTTP2: &[u8] = b"h2";
    let offered: &[&[u8]] = match version {
        Version::Http1 => return false,
        Version::Negotiate if !origin.is_https() => return false,
        Version::Negotiate => &[HTTP2, b"http/1.1"],
        Version::Http2 => &[HTTP2],
    };
    let offered: Vec<Vec<u8>> = offered.iter().map(|name| name.to_vec()).collect();
    dial.pick_protocol(&offered).is_some_and(|picked| picked == HTTP2)
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Self::InProcess(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Secure(stream, _) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_write(cx, buf),
            Self::InProcess(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Secure(stream, _) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::InProcess(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Secure(stream, _) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream, _) => stream.is_write_vectored(),
            Self::InProcess(stream) => stream.is_write_vectored(),
            Self::Secure(stream, _) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_flush(cx),
            Self::InProcess(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream, _) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Self::InProcess(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream, _) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
