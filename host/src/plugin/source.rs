//! Where a component comes from, as a script says it: a path, `https://…`, or `oci://…`. Nothing is read or fetched
//! here.

use std::path::PathBuf;

use oci_client::Reference;
use url::{Host, Url};

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, relative to the script's folder.
    File(PathBuf),
    /// A file of a web site, over TLS.
    Https(Url),
    /// An artifact of an OCI registry, which holds the component as its one layer of WebAssembly.
    Oci(Reference),
}

/// What is wrong with a source, and the fix.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// The fix.
    pub help: &'static str,
}

/// What an OCI reference looks like, for messages.
const OCI_HELP: &str = "for example `oci://registry.example/team/mqtt:1.2`, or `…/mqtt@sha256:9f86d0…` by its manifest";

impl Source {
    /// Reads what a script says.
    ///
    /// # Errors
    /// It has a scheme that is not known, or is malformed.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text.split_once("://") {
            None => Ok(Self::File(PathBuf::from(text))),
            Some(("https", _)) => https(text).map(Self::Https),
            Some(("oci", rest)) => artifact(rest).map(Self::Oci).ok_or_else(|| {
                let lacks_version = artifact(&format!("{rest}:any")).is_some();
                let what = if lacks_version { "names neither a tag nor a digest" } else { "is no OCI reference" };
                Fault { message: format!("`{text}` {what}"), help: OCI_HELP }
            }),
            Some((scheme, _)) => Err(Fault {
                message: format!("components cannot be fetched by `{scheme}://`"),
                help: "use a path, `https://…` or `oci://…`",
            }),
        }
    }
}

fn https(text: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).map_err(|error| Fault {
        message: format!("it is no URL: {error}"),
        help: "for example `https://site.example/mqtt.wasm`",
    })?;
    let anonymous = url.username().is_empty() && url.password().is_none();
    anonymous.then_some(url).ok_or_else(|| Fault {
        message: "a source must not have a user name or password in it".into(),
        help: "only what is public can be fetched; put anything else beside the script",
    })
}

/// `registry[:port]/repository` and `:tag` or `@sha256:digest`. The registry is always named, as is the tag: what others
/// take by default would be somebody's, and today's.
fn artifact(text: &str) -> Option<Reference> {
    let (registry, path) = text.split_once('/')?;
    let reference: Reference = text.parse().ok()?;
    let sound = match manifest_of(&reference) {
        Some(digest) => is_sha256(digest),
        None => reference.digest().is_none() && path.contains(':'),
    };
    (sound && reference.registry() == registry).then_some(reference)
}

/// The SHA-256 digest of an artifact's manifest, if the artifact is named by it. A tag beside it is a remark.
pub fn manifest_of(reference: &Reference) -> Option<&str> {
    reference.digest()?.strip_prefix("sha256:")
}

/// Whether a URL names this machine by a loopback address.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether a text is a SHA-256 digest in lower case.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_has_no_scheme() {
        for path in ["./a.wasm", "/a/b.wasm", "C:\\a.wasm", "https", "oci:x"] {
            assert_eq!(Source::parse(path), Ok(Source::File(path.into())));
        }
        let refused = |text: &str| Source::parse(text).unwrap_err().message;
        assert_eq!(refused("http://site/a.wasm"), "components cannot be fetched by `http://`");
        assert_eq!(refused("https://me:pw@site/a"), "a source must not have a user name or password in it");
        assert_eq!(refused("https://"), "it is no URL: empty host");
    }

    #[test]
    fn references_of_registries() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        let parts = |text: &str| {
            let reference = artifact(text)?;
            let own = |part: Option<&str>| part.map(str::to_owned);
            Some((
                reference.registry().to_owned(),
                reference.repository().to_owned(),
                own(reference.tag()),
                own(reference.digest()),
            ))
        };
        let tagged = |registry: &str, repository: &str, tag: &str| {
            Some((registry.into(), repository.into(), Some(tag.into()), None))
        };
        assert_eq!(parts("r.example/a/b-c:1.2_x"), tagged("r.example", "a/b-c", "1.2_x"));
        assert_eq!(parts("r.example:5000/a:v1"), tagged("r.example:5000", "a", "v1"));
        assert_eq!(parts("localhost/a:v1"), tagged("localhost", "a", "v1"));
        let by_digest =
            |tag: Option<&str>| Some(("r.example".into(), "a".into(), tag.map(str::to_owned), Some(digest.clone())));
        assert_eq!(parts(&format!("r.example/a@{digest}")), by_digest(None));
        assert_eq!(parts(&format!("r.example/a:v1@{digest}")), by_digest(Some("v1")));
        let long = format!("r.example/a@sha512:{}", "0".repeat(128));
        let upper = format!("r.example/a@sha256:{}", "A".repeat(64));
        let wrong = [
            "a",
            "a:v1",
            "team/a:v1",
            "r.example/",
            "r.example/a",
            "r.example/A:v1",
            "r.example/a//b:v1",
            "r.example/a:",
            "r.example/a:-",
            "me@r.example/a:v1",
            "r.example/a@sha256:12",
            "r.example?x/a:v1",
            &long,
            &upper,
        ];
        for text in wrong {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
