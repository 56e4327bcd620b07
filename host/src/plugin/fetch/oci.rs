//! Pulling from an OCI registry through oci-client: a manifest by tag or digest, and the blob it names. A registry that
//! asks for a token is asked for an anonymous one; credentials are not supported, as only what is public can be named
//! in a script that others run.

use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::{IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use url::Url;

use super::super::locate;
use super::super::source::{is_loopback, is_sha256};
use super::https::{self, USER_AGENT, collect};

/// An artifact's repository, for one pull.
pub struct Repository<'a> {
    client: Client,
    reference: &'a Reference,
    registry: Url,
}

impl<'a> Repository<'a> {
    /// A repository that was not asked anything yet. Only a registry on this machine may do without TLS.
    ///
    /// # Errors
    /// The registry's name is none.
    pub fn new(reference: &'a Reference) -> Result<Self, String> {
        let name = reference.resolve_registry();
        let url = |scheme: &str| Url::parse(&format!("{scheme}://{name}/")).map_err(|error| error.to_string());
        let (registry, protocol) = match url("http")? {
            plain if is_loopback(&plain) => (plain, ClientProtocol::Http),
            _ => (url("https")?, ClientProtocol::Https),
        };
        let client = Client::new(ClientConfig { protocol, user_agent: USER_AGENT, ..ClientConfig::default() });
        Ok(Self { client, reference, registry })
    }

    /// The manifest that the tag or the digest names, as it came; by a digest, verified.
    ///
    /// # Errors
    /// The registry does not give it.
    pub async fn manifest(&self) -> Result<Vec<u8>, String> {
        let kinds = [OCI_IMAGE_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE];
        let manifest = self.client.pull_manifest_raw(self.reference, &RegistryAuth::Anonymous, &kinds).await;
        manifest.map(|(bytes, _)| bytes.into()).map_err(|error| self.reason(&error, "manifest"))
    }

    /// The blob of that SHA-256 digest, verified.
    ///
    /// # Errors
    /// The registry does not give it.
    pub async fn blob(&self, sha256: &str) -> Result<Vec<u8>, String> {
        self.client.store_auth_if_needed(self.reference.resolve_registry(), &RegistryAuth::Anonymous).await;
        let blob = self.client.pull_blob_stream(self.reference, format!("sha256:{sha256}").as_str()).await;
        let blob = blob.map_err(|error| self.reason(&error, "component"))?;
        let failed = |error: std::io::Error| match error.get_ref().and_then(|error| error.downcast_ref()) {
            Some(error) => https::reason(&self.registry, error),
            None => self.swapped("component"),
        };
        collect(blob.content_length, blob, failed).await
    }

    /// Why the registry did not give what it was asked for.
    fn reason(&self, error: &OciDistributionError, what: &str) -> String {
        use OciDistributionError as Error;
        let server = https::server(&self.registry);
        match error {
            Error::RequestError(error) => https::reason(&self.registry, error),
            Error::UnauthorizedError { .. } | Error::AuthenticationFailure(_) => self.private(),
            Error::RegistryError { envelope, .. } => match envelope.errors.first().map(|error| &error.code) {
                Some(OciErrorCode::Unauthorized | OciErrorCode::Denied) => self.private(),
                _ => format!("{server} has no {what} of `{}`", self.reference.whole()),
            },
            Error::ServerError { code, .. } => format!("{server} answered with status {code}"),
            Error::DigestError(_) => self.swapped(what),
            other => format!("{server} does not speak as an OCI registry: {other}"),
        }
    }

    fn private(&self) -> String {
        format!("{} gives it to nobody without credentials, which are not supported", https::server(&self.registry))
    }

    fn swapped(&self, what: &str) -> String {
        format!("{} gives another {what} for this digest", https::server(&self.registry))
    }
}

/// The digest of the component that a manifest names.
///
/// # Errors
/// It names none, several, or one that is too large.
pub fn component_of(manifest: &[u8]) -> Result<String, String> {
    let manifest: OciImageManifest =
        serde_json::from_slice(manifest).map_err(|_| "its manifest is none of an OCI artifact")?;
    let is_wasm = |kind: &str| kind == "application/wasm" || kind.ends_with("+wasm");
    let mut layers = manifest.layers.iter().filter(|layer| is_wasm(&layer.media_type));
    let (Some(layer), None) = (layers.next(), layers.next()) else {
        return Err("its manifest does not name exactly one layer of type `application/wasm`".into());
    };
    if u64::try_from(layer.size).is_ok_and(|size| size > locate::LARGEST) {
        return Err(locate::too_large());
    }
    let digest = layer.digest.strip_prefix("sha256:").filter(|digest| is_sha256(digest));
    digest.map(str::to_owned).ok_or_else(|| "its component has a digest other than SHA-256".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_one_component() {
        let digest = "0123456789abcdef".repeat(4);
        let layer =
            |kind: &str, size: u64| format!(r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{size}}}"#);
        let config = layer("application/vnd.wasm.config.v0+json", 2);
        let of = |layers: &[String]| {
            let layers = layers.join(",");
            component_of(format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layers}]}}"#).as_bytes())
        };
        let wasm = || layer("application/wasm", 9);
        assert_eq!(of(&[wasm()]), Ok(digest.clone()));
        assert_eq!(
            of(&[layer("text/plain", 9), layer("application/vnd.wasm.content.layer.v1+wasm", 9)]),
            Ok(digest.clone())
        );
        assert_eq!(of(&[layer("application/wasm", 1 << 40)]), Err(locate::too_large()));
        for layers in [vec![], vec![layer("text/plain", 9)], vec![wasm(), wasm()]] {
            assert!(of(&layers).unwrap_err().contains("exactly one layer"));
        }
        assert!(component_of(b"[]").is_err() && component_of(br#"{"manifests":[]}"#).is_err());
    }
}
