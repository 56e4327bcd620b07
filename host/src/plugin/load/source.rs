//! The source of a component as typed in a script: a path, `https://…`, or `oci://…`. Nothing is read or fetched here.

use std::path::PathBuf;

use url::{Host, Url};

/// The source of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PluginSource {
    /// A file, relative to the script's folder.
    File(PathBuf),
    /// A file of a web site, over TLS.
    Https(Url),
    /// An artifact of a registry.
    Oci(OciReference),
}

/// An artifact of an OCI registry, which holds the component as its one layer of WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OciReference {
    /// URL of the registry, with TLS unless it is on a loopback address.
    pub registry: Url,
    /// Repository, such as `team/mqtt`.
    pub repository: String,
    /// Tag or digest of the artifact.
    pub version: ArtifactVersion,
}

/// Selects an artifact of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArtifactVersion {
    /// The artifact that a tag currently names.
    Tag(String),
    /// The artifact whose manifest has this SHA-256 digest.
    Manifest(String),
}

/// An error in a source, with the fix.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SourceError {
    /// The message.
    pub message: String,
    /// The fix.
    pub help: &'static str,
}

/// Help of messages about OCI references.
const OCI_HELP: &str = "for example `oci://registry.example/team/mqtt:1.2`, or `…/mqtt@sha256:9f86d0…` by its manifest";

impl PluginSource {
    /// Parses a source.
    ///
    /// # Errors
    /// Its scheme is not supported, or it is malformed.
    pub(crate) fn parse(text: &str) -> Result<Self, SourceError> {
        match text.split_once("://") {
            None => Ok(Self::File(PathBuf::from(text))),
            Some(("https", _)) => https(text).map(Self::Https),
            Some(("oci", rest)) => OciReference::parse(rest).map(Self::Oci).ok_or_else(|| {
                let lacks_version = OciReference::parse(&format!("{rest}:any")).is_some();
                let what = if lacks_version { "names neither a tag nor a digest" } else { "is not an OCI reference" };
                SourceError { message: format!("`{text}` {what}"), help: OCI_HELP }
            }),
            Some((scheme, _)) => Err(SourceError {
                message: format!("components cannot be fetched by `{scheme}://`"),
                help: "use a path, `https://…` or `oci://…`",
            }),
        }
    }
}

fn https(text: &str) -> Result<Url, SourceError> {
    let url = Url::parse(text).map_err(|error| SourceError {
        message: format!("it is not a URL: {error}"),
        help: "for example `https://site.example/mqtt.wasm`",
    })?;
    let anonymous = url.username().is_empty() && url.password().is_none();
    anonymous.then_some(url).ok_or_else(|| SourceError {
        message: "a source must not have a user name or password in it".into(),
        help: "only public components can be fetched; put any other beside the script",
    })
}

impl OciReference {
    /// Parses `registry[:port]/repository` with `:tag` or `@sha256:digest`. A tag before a digest is ignored.
    fn parse(text: &str) -> Option<Self> {
        let (registry, path) = text.split_once('/')?;
        let (name, digest) = path.split_once('@').map_or((path, None), |(name, digest)| (name, Some(digest)));
        let (repository, tag) = name.split_once(':').map_or((name, None), |(name, tag)| (name, Some(tag)));
        let version = match (digest, tag) {
            (Some(digest), _) => {
                ArtifactVersion::Manifest(digest.strip_prefix("sha256:").filter(|digest| is_sha256(digest))?.into())
            }
            (None, tag) => ArtifactVersion::Tag(tag?.into()),
        };
        let sound = repository.split('/').all(is_component) && tag.is_none_or(is_tag);
        let registry = registry_url(registry).filter(|_| sound)?;
        Some(Self { registry, repository: repository.into(), version })
    }
}

/// Returns the URL of a registry. Only one on this machine may be without TLS.
fn registry_url(text: &str) -> Option<Url> {
    let mut url = Url::parse(&format!("https://{text}/")).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
    if is_loopback(&url) {
        // The port that was typed stays, and 443 does not become 80.
        url = Url::parse(&format!("http://{text}/")).ok()?;
    }
    plain.then_some(url)
}

/// Returns `true` if a URL names this machine by a loopback address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Returns `true` if a text is a SHA-256 digest in lower case.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns `true` if a text is one component of a repository's name.
fn is_component(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| inner(byte) || b"._-".contains(&byte))
        && text.bytes().next().is_some_and(inner)
        && text.bytes().next_back().is_some_and(inner)
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| word(byte) || b".-".contains(&byte))
        && text.bytes().next().is_some_and(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oci(text: &str) -> Option<(String, String, ArtifactVersion)> {
        let reference = OciReference::parse(text)?;
        Some((reference.registry.into(), reference.repository, reference.version))
    }

    #[test]
    fn sources_without_a_scheme_are_paths() {
        for path in ["./a.wasm", "/a/b.wasm", "C:\\a.wasm", "https", "oci:x"] {
            assert_eq!(PluginSource::parse(path), Ok(PluginSource::File(path.into())));
        }
        let error = |text: &str| PluginSource::parse(text).unwrap_err().message;
        assert_eq!(error("http://site/a.wasm"), "components cannot be fetched by `http://`");
        assert_eq!(error("https://me:pw@site/a"), "a source must not have a user name or password in it");
        assert_eq!(error("https://"), "it is not a URL: empty host");
    }

    #[test]
    fn references_of_registries() {
        let digest = "0123456789abcdef".repeat(4);
        let tag = |tag: &str| ArtifactVersion::Tag(tag.into());
        let some = |registry: &str, repository: &str, version| Some((registry.into(), repository.into(), version));
        for (text, expected) in [
            ("r.example/a/b-c:1.2_x", some("https://r.example/", "a/b-c", tag("1.2_x"))),
            ("r.example:5000/a:v1", some("https://r.example:5000/", "a", tag("v1"))),
            ("127.0.0.1:5000/a:v1", some("http://127.0.0.1:5000/", "a", tag("v1"))),
            ("[::1]:5000/a:v1", some("http://[::1]:5000/", "a", tag("v1"))),
            ("localhost/a:v1", some("http://localhost/", "a", tag("v1"))),
        ] {
            assert_eq!(oci(text), expected, "{text}");
        }
        let by_digest = some("https://r.example/", "a", ArtifactVersion::Manifest(digest.clone()));
        assert_eq!(oci(&format!("r.example/a@sha256:{digest}")), by_digest);
        assert_eq!(oci(&format!("r.example/a:v1@sha256:{digest}")), by_digest);
        let wrong =
            ["a", "r/", "r/a", "r/A:v1", "r/a//b:v1", "r/a:", "r/a:-", "me@r/a:v1", "r/a@sha256:12", "r?x/a:v1"];
        for text in wrong {
            assert_eq!(oci(text), None, "{text}");
        }
    }
}
