//! TLS of the client: trusted certificates, the HTTP versions offered (ALPN), and the handshake.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::failure::Failure;
use super::version::Version;

/// TLS settings for each [`Version`]. Reading the system's certificates takes milliseconds, so they are read once and
/// shared by all workers.
#[derive(Clone)]
pub struct Tls {
    negotiate: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    /// Settings without ALPN, for protocols other than HTTP.
    no_alpn: Arc<ClientConfig>,
}

/// A secured connection.
pub struct TlsConnection {
    /// The stream over TLS.
    pub stream: TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>,
    /// True when the server picked HTTP/2.
    pub http2: bool,
}

impl Tls {
    /// Loads settings that trust the system's certificates (those of `SSL_CERT_FILE` and `SSL_CERT_DIR` if set), or
    /// with `insecure` any certificate. A system without certificates is not an error, as the run may need none.
    ///
    /// # Errors
    /// The cryptographic provider supports none of the default protocol versions.
    pub fn load(insecure: bool) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let mut config = if insecure {
            let verifier = Arc::new(AcceptAnyCertificate(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        } else {
            let without_roots = builder.clone().with_root_certificates(RootCertStore::empty());
            let trusting = builder.with_native_roots().unwrap_or_else(|error| {
                tracing::warn!("no server can be trusted: {error}");
                without_roots
            });
            trusting.with_no_client_auth()
        };
        // Every new connection makes a full handshake, as a new visitor does: resuming sessions across the users of a
        // worker would make the target look faster than it is.
        config.resumption = Resumption::disabled();
        Ok(Self {
            negotiate: with_alpn(&config, &["h2", "http/1.1"]),
            http1: with_alpn(&config, &["http/1.1"]),
            http2: with_alpn(&config, &["h2"]),
            no_alpn: Arc::new(config),
        })
    }

    /// Returns a connector for protocols other than HTTP that offers `protocols`.
    pub fn connector(&self, protocols: &[Vec<u8>]) -> TlsConnector {
        let mut config = Arc::clone(&self.no_alpn);
        if !protocols.is_empty() {
            Arc::make_mut(&mut config).alpn_protocols = protocols.to_vec();
        }
        config.into()
    }

    /// Returns the trust settings for a client that sets the offered protocols itself.
    pub fn without_protocols(&self) -> ClientConfig {
        Arc::unwrap_or_clone(Arc::clone(&self.no_alpn))
    }

    /// Secures a connection to the host of `uri`.
    ///
    /// # Errors
    /// The handshake fails.
    pub async fn handshake(&self, tcp: TcpStream, uri: Uri, version: Version) -> Result<TlsConnection, Failure> {
        let config = match version {
            Version::Negotiate => &self.negotiate,
            Version::Http1 => &self.http1,
            Version::Http2 => &self.http2,
        };
        let mut connector = HttpsConnector::from((Preconnected(Some(tcp)), Arc::clone(config)));
        let stream = connector.call(uri).await.map_err(|error| Failure::of_handshake(&*error))?;
        let http2 = stream.connected().is_negotiated_h2();
        Ok(TlsConnection { stream: TokioIo::new(stream), http2 })
    }
}

/// Returns the settings with these protocols offered, the preferred one first.
fn with_alpn(config: &ClientConfig, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// Passes an open connection to hyper-rustls, which would otherwise open its own: resolving and connecting are measured
/// apart from the handshake, and use the worker's name cache.
struct Preconnected(Option<TcpStream>);

impl Service<Uri> for Preconnected {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// Accepts any certificate, for `--insecure-tls`.
#[derive(Debug)]
struct AcceptAnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
