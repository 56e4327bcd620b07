//! The origin of a URL: scheme, host and port. Two requests to one origin may share a connection, and credentials never
//! follow a redirect to another origin.

use std::rc::Rc;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use url::{Position, Url};

use super::grants::{self, Grants, Reach};

/// Scheme, host and port (RFC 9110 section 4.3.1), with the texts that go on the wire built once.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    https: bool,
    port: u16,
    /// Host, and the port if it is not the scheme's own.
    authority: Authority,
    host_field: HeaderValue,
    /// Addresses that the name may resolve to. Origins that differ in it share no connections.
    reach: Reach,
}

/// The reason why a URL has no usable origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginError {
    /// The URL is not an `http` or `https` URL with a host.
    Malformed,
    /// The host is not granted.
    Denied,
}

impl Origin {
    /// Returns the origin of a URL, if it is among these grants.
    ///
    /// # Errors
    /// See [`OriginError`].
    pub fn granted(url: &Url, grants: &Rc<Grants>) -> Result<Rc<Self>, OriginError> {
        let mut origin = Self::parse(url).ok_or(OriginError::Malformed)?;
        origin.reach = grants.reach(origin.host(), origin.port).ok_or(OriginError::Denied)?;
        Ok(Rc::new(origin))
    }

    /// Returns the origin of a URL without checking grants; `None` unless it is an `http` or `https` URL.
    pub fn of(url: &Url) -> Option<Rc<Self>> {
        Self::parse(url).map(Rc::new)
    }

    fn parse(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let text = &url[Position::BeforeHost..Position::AfterPort];
        let origin = Self {
            https,
            port: url.port_or_known_default()?,
            authority: Authority::try_from(text).ok()?,
            host_field: HeaderValue::from_str(text).ok()?,
            reach: Reach::Anywhere,
        };
        Some(origin)
    }

    /// Returns `true` if connections use TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Returns the host's name or address, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns the TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns scheme, host and port as in a URL, always with the port.
    pub fn name(&self) -> String {
        let host = self.authority.host();
        format!("{}://{host}:{}", if self.https { "https" } else { "http" }, self.port)
    }

    /// Returns the addresses that the name may resolve to.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Returns the value of the `host` field.
    pub fn host_field(&self) -> &HeaderValue {
        &self.host_field
    }

    /// Returns the absolute form of a target, as HTTP/2 needs it, under this or another authority.
    pub fn absolute(&self, authority: Option<Authority>, target: PathAndQuery) -> Uri {
        let mut parts = hyper::http::uri::Parts::default();
        parts.scheme = Some(if self.https { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(authority.unwrap_or_else(|| self.authority.clone()));
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// Returns the URL of a target.
    pub fn url(&self, target: &PathAndQuery) -> Option<Url> {
        let scheme = if self.https { "https" } else { "http" };
        Url::parse(&format!("{scheme}://{}{target}", self.authority)).ok()
    }
}

/// Describes a URL whose host is not granted, by host and port only: the rest of it may be secret.
pub(crate) fn not_granted(url: &Url) -> String {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    grants::not_granted(host, port)
}

/// Returns path and query of a URL, without the fragment; `None` if they are longer than 65,534 bytes.
pub(crate) fn target(url: &Url) -> Option<PathAndQuery> {
    PathAndQuery::try_from(&url[Position::BeforePath..Position::AfterQuery]).ok()
}

/// Returns `true` if both are the same origin. Steps share their `Rc`, so the texts are seldom compared.
pub(crate) fn same_origin(one: &Rc<Origin>, other: &Rc<Origin>) -> bool {
    Rc::ptr_eq(one, other) || one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_and_a_target_from_a_url() {
        for (case, url, host, port, field, path) in [
            ("default port is not sent", "http://site/a?b=c#d", "site", 80, "site", "/a?b=c"),
            ("other ports are", "https://site:8443", "site", 8443, "site:8443", "/"),
            ("the other scheme's port is", "https://site:80/", "site", 80, "site:80", "/"),
            ("IPv6 keeps brackets in the field", "http://[::1]:9/x", "::1", 9, "[::1]:9", "/x"),
            (
                "names are in punycode",
                "http://bücher.example/ü",
                "xn--bcher-kva.example",
                80,
                "xn--bcher-kva.example",
                "/%C3%BC",
            ),
            ("credentials are left out", "http://me:secret@site/", "site", 80, "site", "/"),
            ("odd characters in the query pass", "http://site/?a={b}|c^d`", "site", 80, "site", "/?a={b}|c^d`"),
        ] {
            let url = Url::parse(url).expect(case);
            let origin = Origin::of(&url).expect(case);
            assert_eq!((origin.host(), origin.port()), (host, port), "{case}");
            assert_eq!(origin.host_field(), field, "{case}");
            assert_eq!(target(&url).expect(case), path, "{case}");
        }
    }

    #[test]
    fn other_schemes_have_no_origin() {
        for url in ["ftp://site/", "data:,x", "file:///etc/passwd"] {
            assert!(Origin::of(&Url::parse(url).unwrap()).is_none(), "{url}");
        }
    }

    #[test]
    fn origins_differ_by_scheme_host_and_port() {
        let origin = |url| Origin::of(&Url::parse(url).unwrap()).unwrap();
        let site = origin("http://site/a");
        assert!(same_origin(&site, &origin("http://site:80/b")));
        for other in ["https://site/", "http://site:81/", "http://www.site/"] {
            assert!(!same_origin(&site, &origin(other)), "{other}");
        }
    }
}
