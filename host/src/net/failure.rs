//! Failures of connections and exchanges: a kind for the counts and a short text for the report's example. The texts
//! consist of this file's own words, host names and the operating system's messages, so they hold neither secrets nor
//! URLs.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

use rustls::{AlertDescription, CertificateError};

use crate::metrics::sample::FailureKind;

/// Detail of the failure when only HTTP/2 was offered and the server did not pick it.
pub(super) const NO_HTTP2: &str = "tls: the server does not offer http/2";

/// The reason why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// [`FailureKind::Network`] or [`FailureKind::Protocol`]; [`FailureKind::Plugin`] for errors that only a plugin can
    /// cause.
    pub kind: FailureKind,
    /// Lower case, no full stop.
    pub detail: Cow<'static, str>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Failure {
    /// Creates a network failure: the name did not resolve, or the connection could not be opened or broke.
    pub fn network(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: FailureKind::Network, detail: detail.into() }
    }

    /// Creates a protocol failure: what arrived breaks the rules of the protocol.
    pub fn protocol(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: FailureKind::Protocol, detail: detail.into() }
    }

    /// Classifies an I/O error of a connection that could not be opened, or broke.
    pub fn of_io(error: &io::Error) -> Self {
        Self::network(match error.kind() {
            ErrorKind::ConnectionRefused => Cow::Borrowed("connection refused"),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Cow::Borrowed("connection reset"),
            ErrorKind::TimedOut => Cow::Borrowed("connection timed out"),
            ErrorKind::NetworkUnreachable => Cow::Borrowed("network unreachable"),
            ErrorKind::HostUnreachable => Cow::Borrowed("host unreachable"),
            ErrorKind::AddrNotAvailable => Cow::Borrowed("no local port is free for a new connection"),
            _ => Cow::Owned(system_message(error)),
        })
    }

    /// Classifies the error of a TLS handshake. `asked` if the server has asked for a certificate of the client.
    pub fn of_handshake(error: &(dyn Error + 'static), asked: bool) -> Self {
        if let Some(error) = find::<rustls::Error>(error) {
            return match error {
                rustls::Error::AlertReceived(alert) if asked => refused(*alert, true),
                error => Self::of_tls(error),
            };
        }
        match find::<io::Error>(error) {
            Some(error) if asked && matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                Self::network(format!("tls: connection closed during the handshake; {CLIENT_CERTIFICATE}"))
            }
            Some(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Self::network("tls: connection closed during the handshake")
            }
            Some(error) => Self::network(format!("tls: {}", Self::of_io(error))),
            None => Self::network("tls: the host is not a valid server name"),
        }
    }

    /// Returns the detail without what helps, which is about the flags of a run.
    pub fn problem(&self) -> &str {
        self.detail.split("; ").next().unwrap_or_default()
    }

    /// Classifies the error of a request that is not measured, by the first I/O error among its causes.
    pub fn of_any(error: &(dyn Error + 'static)) -> Self {
        match find::<io::Error>(error) {
            Some(cause) => Self::of_connection(cause, false),
            None => Self::closed(false),
        }
    }

    /// Classifies an error of TLS. Each problem with a certificate has a text of its own, since the remedies differ.
    fn of_tls(error: &rustls::Error) -> Self {
        Self::network(match error {
            rustls::Error::InvalidCertificate(error) => Cow::Owned(certificate(error)),
            rustls::Error::InvalidMessage(_) => Cow::Borrowed("tls: the server does not speak tls"),
            rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => Cow::Borrowed(NO_HTTP2),
            rustls::Error::AlertReceived(alert) => return refused(*alert, is_about_client(*alert)),
            other => Cow::Owned(format!("tls: {other}")),
        })
    }

    /// Classifies the error of an exchange over HTTP/2.
    pub fn of_exchange(error: &hyper::Error, reply_begun: bool) -> Self {
        if let Some(error) = find::<h2::Error>(error) {
            return Self::of_http2(error, reply_begun);
        }
        match find::<io::Error>(error) {
            Some(cause) => Self::of_connection(cause, reply_begun),
            None => Self::closed(reply_begun),
        }
    }

    /// Returns `true` if a request over HTTP/2 that failed before its reply was not processed: the peer says so (RFC
    /// 9113 section 8.7).
    pub fn is_unprocessed(error: &hyper::Error) -> bool {
        // A stream fails with GOAWAY if its number is above the last one that the peer names.
        find::<h2::Error>(error).is_some_and(|error| {
            error.is_remote() && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM))
        })
    }

    /// Returns `true` if a request over HTTP/2 failed because its connection ended, and not its stream alone.
    pub fn ends_connection(error: &hyper::Error) -> bool {
        match find::<h2::Error>(error) {
            Some(error) => error.is_io() || error.is_go_away(),
            None => true,
        }
    }

    /// Classifies the error of a connection that broke. `reply_begun` tells a truncated reply from a close before it.
    pub fn of_connection(error: &io::Error, reply_begun: bool) -> Self {
        if let Some(error) = find::<rustls::Error>(error) {
            return Self::of_tls(error);
        }
        match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => Self::closed(reply_begun),
            _ => Self::of_io(error),
        }
    }

    /// Creates the failure of a reply that ended before it was complete.
    pub fn truncated() -> Self {
        Self::protocol("reply truncated")
    }

    /// Creates the failure of a connection that the peer closed too early.
    fn closed(reply_begun: bool) -> Self {
        if reply_begun { Self::truncated() } else { Self::network("connection closed before the reply") }
    }

    /// Classifies an error of HTTP/2: the server sent an error frame, or it broke the protocol itself.
    fn of_http2(error: &h2::Error, reply_begun: bool) -> Self {
        if let Some(error) = error.get_io() {
            return Self::of_connection(error, reply_begun);
        }
        let reason = error.reason().unwrap_or(h2::Reason::INTERNAL_ERROR);
        if !error.is_remote() {
            return Self::protocol(format!("malformed reply: http/2: {reason}"));
        }
        let what = if error.is_go_away() { "connection closed" } else { "stream reset" };
        Self::network(format!("{what} by the server: http/2: {reason}"))
    }
}

/// The end of the failure of a handshake in which the server asked for a certificate.
const CLIENT_CERTIFICATE: &str = "it asks for a client certificate, which is not supported";

/// Creates the failure of a server that has sent an alert.
fn refused(alert: AlertDescription, asked: bool) -> Failure {
    let words = words(alert);
    Failure::network(match asked {
        true => format!("tls: refused by the server: {words}; {CLIENT_CERTIFICATE}"),
        false => format!("tls: refused by the server: {words}"),
    })
}

/// Returns `true` for an alert that a server sends only because of the certificate of the client.
fn is_about_client(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
    )
}

/// Describes the problem with a certificate and its cure, without the names in it: the server chooses them, and they
/// may be long.
fn certificate(error: &CertificateError) -> String {
    let problem = match error {
        CertificateError::UnknownIssuer => {
            return "tls: certificate of an unknown issuer; `--cacert FILE` or `SSL_CERT_FILE` trusts its issuer, \
                    `--insecure-tls` any"
                .to_owned();
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "is for another name",
        CertificateError::Revoked => "is revoked",
        CertificateError::BadEncoding => "is malformed",
        CertificateError::BadSignature => "has a wrong signature",
        CertificateError::UnhandledCriticalExtension => "has a critical extension that is not known",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "is not for servers",
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed in a way that is not supported"
        }
        other if other.to_string().contains("CaUsedAsEndEntity") => "is that of an authority, not of a server",
        _ => "is not acceptable",
    };
    format!("tls: certificate {problem}; `--insecure-tls` accepts any")
}

/// Returns the name of an alert in words, such as `handshake failure`.
fn words(alert: AlertDescription) -> String {
    let (mut words, mut was_lower) = (String::new(), false);
    for letter in alert.as_str().unwrap_or("unknown alert").chars() {
        if letter.is_uppercase() && was_lower {
            words.push(' ');
        }
        was_lower = letter.is_lowercase();
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// Returns the operating system's message, without its number.
fn system_message(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_ascii_lowercase()
}

/// Returns the first error of a type in a chain of causes. An I/O error does not show the error it wraps in `source`.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let inner = error.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
    let cause = match inner {
        Some(inner) => Some(inner as &(dyn Error + 'static)),
        None => error.source(),
    };
    error.downcast_ref().or_else(|| find(cause?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_operating_system_have_no_number() {
        let error = io::Error::from_raw_os_error(24);
        let detail = Failure::of_io(&error).detail;
        assert!(!detail.contains("os error"), "{detail}");
        assert_eq!(detail, detail.to_ascii_lowercase());
    }

    #[test]
    fn an_error_is_found_inside_io_errors() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(ErrorKind::InvalidData, tls));
        let failure = Failure::of_handshake(&wrapped, false);
        assert!(failure.detail.starts_with("tls: certificate of an unknown issuer; `--cacert FILE`"), "{failure}");
    }

    #[test]
    fn alerts_are_named_in_words() {
        assert_eq!(words(AlertDescription::HandshakeFailure), "handshake failure");
        assert_eq!(words(AlertDescription::UnknownCA), "unknown ca");
        assert_eq!(words(AlertDescription::Unknown(200)), "unknown alert");
    }

    #[test]
    fn a_handshake_that_breaks_off_names_its_cause() {
        for (case, error, detail) in [
            ("end of stream", ErrorKind::UnexpectedEof, "tls: connection closed during the handshake"),
            ("reset", ErrorKind::ConnectionReset, "tls: connection reset"),
        ] {
            assert_eq!(Failure::of_handshake(&io::Error::from(error), false).detail, detail, "{case}");
            let asked = Failure::of_handshake(&io::Error::from(error), true).detail;
            assert!(asked.ends_with(CLIENT_CERTIFICATE), "{case}: {asked}");
        }
    }
}
