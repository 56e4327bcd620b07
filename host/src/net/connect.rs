//! Opens a connection: resolve, connect, TLS. Each is a phase of the exchange that needed it.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::http::uri::PathAndQuery;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

use super::connector::Connector;
use super::dns;
use super::failure::{Failure, NO_HTTP2};
use super::grants::{Reach, not_granted};
use super::meter::{ExchangeStage, Meter};
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

/// Time for which an address may take to answer before the next is tried (RFC 8305 section 8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

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
    meter.update(|measured| measured.stage = ExchangeStage::Handshake);
    let secured = connector.tls.handshake(tcp, origin.absolute(None, PathAndQuery::from_static("/")), version).await?;
    meter.update(|measured| {
        measured.phases.tls = Some(connector.now() - start);
        measured.stage = ExchangeStage::Connected;
    });
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
        let address = not_granted(&address.to_string(), port);
        return Err(Failure::network(format!("{host} resolves to {address}")));
    }
    let begun = connector.now();
    meter.update(|measured| measured.stage = ExchangeStage::Connecting);
    let tcp = connect_to_any(connector, &granted, port).await.map_err(|error| Failure::of_io(&error))?;
    meter.update(|measured| {
        measured.phases.connect = Some(connector.now() - begun);
        measured.stage = ExchangeStage::Connected;
    });
    Ok(tcp)
}

/// Returns the addresses of a host. A cached answer takes no time and is not a phase.
async fn resolve(connector: &Connector, host: &str, meter: &Meter) -> Result<Rc<[IpAddr]>, Failure> {
    let begun = connector.now();
    meter.update(|measured| measured.stage = ExchangeStage::Resolving);
    let resolved = connector.names.resolve(host, connector.clock, dns::system_lookup).await;
    if resolved.waited {
        meter.update(|measured| measured.phases.dns = Some(connector.now() - begun));
    }
    resolved.addresses.ok_or_else(|| Failure::network(format!("name does not resolve: {host}")))
}

/// Connects to the first address that accepts. One that has not answered after [`ATTEMPT_DELAY`] stays under way while
/// the next is tried (RFC 8305 section 5); if another is faster, it comes last for a while. Returns the error of the
/// last one if none accepts.
async fn connect_to_any(connector: &Connector, addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let ordered = connector.slow_addresses.put_last(addresses, connector.now());
    let (mut attempts, mut waiting) = (FuturesUnordered::new(), Vec::new());
    let mut left = ordered.iter().copied();
    let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let tcp = loop {
        match left.next() {
            Some(address) => {
                waiting.push(address);
                attempts.push(async move { (address, TcpStream::connect((address, port)).await) });
            }
            None if attempts.is_empty() => return Err(error),
            None => {}
        }
        let next_attempt = tokio::time::sleep(ATTEMPT_DELAY);
        tokio::select! {
            Some((address, outcome)) = attempts.next() => {
                waiting.retain(|waiting| *waiting != address);
                match outcome {
                    Ok(tcp) => break tcp,
                    Err(failed) => error = failed,
                }
            }
            () = next_attempt, if left.len() > 0 => {}
        }
    };
    connector.slow_addresses.add(&waiting, connector.now());
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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use socket2::{Domain, Socket, Type};
    use stampede_time::Clock;
    use tokio::net::TcpListener;

    use super::super::tls::Tls;
    use super::*;

    /// Returns a socket at this address that drops what asks for a connection: its queue is full.
    fn black_hole(address: SocketAddr) -> (Socket, Vec<Socket>) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&address.into()).expect("a free address");
        listener.listen(0).expect("a queue");
        let queued = (0..4).map(|_| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            client.set_nonblocking(true).expect("a socket that does not block");
            // Under way or queued; the ones that find no room stay under way.
            let _ = client.connect(&address.into());
            client
        });
        let queued = queued.collect();
        (listener, queued)
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_is_passed_over_and_then_comes_last() {
        let (dead, good) = (IpAddr::from([127, 0, 0, 2]), IpAddr::from(Ipv4Addr::LOCALHOST));
        let server = TcpListener::bind((good, 0)).await.expect("a free port");
        let port = server.local_addr().expect("a bound address").port();
        let _hole = black_hole(SocketAddr::new(dead, port));
        let connector = Connector::new(Clock::start(), Tls::load(true).expect("no file to read"), None);
        for _ in 0..2 {
            let tcp = connect_to_any(&connector, &[dead, good], port).await.expect("one of them answers");
            assert_eq!(tcp.peer_addr().expect("connected").ip(), good);
        }
        assert_eq!(connector.slow_addresses.put_last(&[dead, good], connector.now()), [good, dead]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over_at_once_and_stays_in_its_place() {
        let (refusing, good) = (IpAddr::from([127, 0, 0, 2]), IpAddr::from(Ipv4Addr::LOCALHOST));
        let server = TcpListener::bind((good, 0)).await.expect("a free port");
        let port = server.local_addr().expect("a bound address").port();
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        bound.bind(&SocketAddr::new(refusing, port).into()).expect("a free address");
        let connector = Connector::new(Clock::start(), Tls::load(true).expect("no file to read"), None);
        assert!(connect_to_any(&connector, &[refusing, good], port).await.is_ok());
        assert_eq!(connector.slow_addresses.put_last(&[refusing, good], connector.now()), [refusing, good]);
        drop(server);
        let error = connect_to_any(&connector, &[refusing, good], port).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
