//! A certificate authority, and servers' TLS settings with certificates that are right or wrong in one way.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

/// The identity that a server presents, and what it asks of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A valid certificate for `localhost`, `127.0.0.1` and `::1`.
    Valid,
    /// One whose time is over.
    Expired,
    /// One whose time has not come.
    NotYetValid,
    /// One for another name.
    OtherName,
    /// One of an issuer that the client does not know.
    UnknownIssuer,
    /// A valid one, and the client must present one too.
    AsksForCertificate,
}

/// An authority that signs the certificates of a test's servers.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new("Test Authority")
    }
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named(name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate: certificate.der().clone(), pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    /// Returns the authority's own certificate, which a client must trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the settings of a server that chooses from `protocols` in the handshake.
    pub fn server(&self, identity: Identity, protocols: &[&str]) -> Arc<ServerConfig> {
        self.server_of_versions(identity, protocols, rustls::ALL_VERSIONS)
    }

    /// Returns the settings of a server that speaks these versions of TLS.
    pub fn server_of_versions(
        &self,
        identity: Identity,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(versions).expect("versions that the provider has");
        let builder = if identity == Identity::AsksForCertificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.clone()).expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("an authority to verify with"))
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.sign(identity);
        let mut config = builder.with_single_cert(vec![certificate], key).expect("a certificate with its key");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    fn sign(&self, identity: Identity) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let names: &[&str] =
            if identity == Identity::OtherName { &["elsewhere.test"] } else { &["localhost", "127.0.0.1", "::1"] };
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("valid names");
        params.distinguished_name = named("Test Server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        match identity {
            Identity::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            Identity::NotYetValid => params.not_before = date_time_ymd(4000, 1, 1),
            _ => {}
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = if identity == Identity::UnknownIssuer {
            params.signed_by(&key, &Self::new("Another Authority").issuer)
        } else {
            params.signed_by(&key, &self.issuer)
        };
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        (certificate.expect("a certificate").der().clone(), key.into())
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}
