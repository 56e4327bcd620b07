//! TLS of the client: trusted certificates, the HTTP versions offered (ALPN), and the handshake.

use std::future::{Ready, ready};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::failure::Failure;
use super::p521::P521Group;
use super::version::Version;
use crate::diagnostic::io_reason;

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

/// The certificates of servers that are trusted.
pub enum Trust {
    /// Any.
    Anything,
    /// Those of the system's authorities (those of `SSL_CERT_FILE` and `SSL_CERT_DIR` if set) and of these.
    Authorities(Vec<CertificateDer<'static>>),
}

impl Tls {
    /// Loads settings. A system without certificates is not an error, as the run may need none.
    ///
    /// # Errors
    /// The cryptographic provider supports none of the default protocol versions.
    pub fn load(trust: Trust) -> Result<Self, Error> {
        let mut provider = ring::default_provider();
        if matches!(trust, Trust::Anything) {
            provider.kx_groups.push(&P521Group);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
        let mut config = match trust {
            Trust::Anything => {
                let verifier = Arc::new(AcceptAnyCertificate);
                builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
            }
            Trust::Authorities(more) => builder.with_root_certificates(authorities(more)).with_no_client_auth(),
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

    /// Secures a connection for a protocol other than HTTP, offering `protocols`.
    ///
    /// # Errors
    /// The handshake fails.
    pub async fn secure(
        &self,
        tcp: TcpStream,
        name: ServerName<'static>,
        protocols: &[Vec<u8>],
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let (mut config, asked) = watched(&self.no_alpn);
        config.alpn_protocols = protocols.to_vec();
        let secured = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
        secured.map_err(|error| Failure::of_handshake(&error, asked.was_asked()))
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
        let (config, asked) = watched(config);
        let mut connector = HttpsConnector::from((Preconnected(Some(tcp)), config));
        let secured = connector.call(uri).await;
        let stream = secured.map_err(|error| Failure::of_handshake(&*error, asked.was_asked()))?;
        let http2 = stream.connected().is_negotiated_h2();
        Ok(TlsConnection { stream: TokioIo::new(stream), http2 })
    }
}

/// Reads certificates in PEM.
///
/// # Errors
/// The file cannot be read, or has no certificate.
pub(crate) fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("it has no certificate in PEM".to_owned()),
        Ok(certificates) => Ok(certificates),
        Err(pem::Error::Io(error)) => Err(io_reason(&error)),
        Err(_) => Err("it is not in PEM".to_owned()),
    }
}

/// Returns the system's authorities and these, with a warning about those that cannot be read: the failures of the
/// handshakes do not tell why an issuer is unknown.
fn authorities(more: Vec<CertificateDer<'static>>) -> RootCertStore {
    let system = rustls_native_certs::load_native_certs();
    let file = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    if let Some((file, Err(reason))) = file.as_ref().map(|file| (file, read_certificates(file))) {
        tracing::warn!("`SSL_CERT_FILE={}`: {reason}", file.display());
    } else if std::env::var_os("SSL_CERT_DIR").is_some() || system.certs.is_empty() {
        system.errors.iter().for_each(|error| tracing::warn!("certificates to trust: {error}"));
    }
    let mut authorities = RootCertStore::empty();
    let (_, rejected) = authorities.add_parsable_certificates(system.certs);
    if file.is_some() && rejected > 0 {
        tracing::warn!("{rejected} of the certificates to trust are malformed");
    }
    authorities.add_parsable_certificates(more);
    authorities
}

/// Returns the settings with a note of whether the server asks for a certificate of the client: the alert with which
/// it then refuses does not always say so.
fn watched(config: &ClientConfig) -> (ClientConfig, Arc<NoClientCertificate>) {
    let (mut config, asked) = (config.clone(), Arc::new(NoClientCertificate::default()));
    config.client_auth_cert_resolver = Arc::clone(&asked) as Arc<dyn ResolvesClientCert>;
    (config, asked)
}

/// Answers a server that asks for a certificate of the client: there is none.
#[derive(Debug, Default)]
struct NoClientCertificate(AtomicBool);

impl NoClientCertificate {
    fn was_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for NoClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
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

/// Accepts any certificate, for `--insecure-tls`, also one whose key the cryptographic provider cannot use.
#[derive(Debug)]
struct AcceptAnyCertificate;

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
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}
