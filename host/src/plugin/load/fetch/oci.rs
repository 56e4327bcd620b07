//! Pulling from an OCI registry by its distribution specification: a manifest by tag or digest, and the blob it names.
//! If the registry requires a token, an anonymous one is requested. Credentials are not supported: a script that others
//! run can name only public components.
//!
//! This is not left to oci-client, which supports neither a redirect policy nor TLS settings nor a limit on a manifest.

use hyper::StatusCode;
use hyper::header::WWW_AUTHENTICATE;
use serde::Deserialize;
use url::Url;

use super::super::identify;
use super::super::source::OciReference;
use super::http::{FetchClient, FetchRequest, FetchResponse, may_follow, server_name};

/// Maximum size of a manifest, as the specification recommends, and of a token, in bytes.
const MAX_MANIFEST: u64 = 4 << 20;
/// The supported media types of manifests.
const MANIFEST_TYPES: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// One repository of a registry, for one pull.
pub(super) struct OciRepository<'a> {
    client: &'a FetchClient,
    reference: &'a OciReference,
    token: Option<String>,
}

/// The part of a manifest that matters here.
#[derive(Deserialize)]
struct OciManifest {
    #[serde(default)]
    layers: Vec<OciLayer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OciLayer {
    media_type: String,
    digest: String,
    size: u64,
}

/// A token, under either of the names that registries give it.
#[derive(Deserialize)]
struct RegistryToken {
    #[serde(alias = "access_token")]
    token: String,
}

impl<'a> OciRepository<'a> {
    /// Creates a pull that has sent nothing yet.
    pub(super) const fn new(client: &'a FetchClient, reference: &'a OciReference) -> Self {
        Self { client, reference, token: None }
    }

    /// Fetches the manifest that a tag or a digest names, unverified.
    ///
    /// # Errors
    /// The registry does not return it.
    pub(super) async fn manifest(&mut self, version: &str) -> Result<Vec<u8>, String> {
        self.get(&format!("manifests/{version}"), MANIFEST_TYPES, MAX_MANIFEST).await
    }

    /// Fetches the blob with that SHA-256 digest, unverified.
    ///
    /// # Errors
    /// The registry does not return it.
    pub(super) async fn blob(&mut self, sha256: &str) -> Result<Vec<u8>, String> {
        self.get(&format!("blobs/sha256:{sha256}"), "*/*", identify::MAX_COMPONENT_BYTES).await
    }

    async fn get(&mut self, what: &str, accept: &str, max_bytes: u64) -> Result<Vec<u8>, String> {
        let registry = &self.reference.registry;
        let path = format!("v2/{}/{what}", self.reference.repository);
        let url = registry.join(&path).map_err(|error| error.to_string())?;
        let mut response = self.send(&url, accept, max_bytes).await?;
        if response.status == StatusCode::UNAUTHORIZED && self.token.is_none() {
            self.token = Some(self.anonymous_token(&response).await?);
            response = self.send(&url, accept, max_bytes).await?;
        }
        let repository = &self.reference.repository;
        match response.status {
            StatusCode::OK => Ok(response.body),
            StatusCode::NOT_FOUND => Err(format!("{} has no `{repository}` with {what}", server_name(registry))),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(auth_required(registry)),
            other => Err(format!("{} answered with status {}", server_name(registry), other.as_u16())),
        }
    }

    async fn send(&self, url: &Url, accept: &str, max_bytes: u64) -> Result<FetchResponse, String> {
        self.client.get(FetchRequest { url, accept, token: self.token.as_deref(), max_bytes }).await
    }

    /// Requests an anonymous token from the server that the registry names.
    async fn anonymous_token(&self, unauthorized: &FetchResponse) -> Result<String, String> {
        let registry = &self.reference.registry;
        let challenge = unauthorized.headers.get(WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok());
        let challenge = challenge.and_then(BearerChallenge::parse).ok_or_else(|| auth_required(registry))?;
        let mut realm = Url::parse(&challenge.realm).map_err(|_| auth_required(registry))?;
        if !may_follow(registry, &realm) {
            return Err(format!(
                "{} names {} for tokens, which is not encrypted",
                server_name(registry),
                server_name(&realm)
            ));
        }
        let scope = challenge.scope.unwrap_or_else(|| format!("repository:{}:pull", self.reference.repository));
        realm
            .query_pairs_mut()
            .extend_pairs(challenge.service.map(|service| ("service", service)))
            .append_pair("scope", &scope);
        let response = self.send(&realm, "application/json", MAX_MANIFEST).await?;
        let token: Option<RegistryToken> = serde_json::from_slice(&response.body).ok();
        token.filter(|_| response.status == StatusCode::OK).map(|it| it.token).ok_or_else(|| auth_required(registry))
    }
}

fn auth_required(registry: &Url) -> String {
    format!("{} requires authentication, which is not supported", server_name(registry))
}

/// Returns the digest of the component that a manifest names.
///
/// # Errors
/// It names none, several, or one that is too large.
pub(super) fn component_of(manifest: &[u8]) -> Result<String, String> {
    let manifest: OciManifest =
        serde_json::from_slice(manifest).map_err(|_| "its manifest is not one of an OCI artifact")?;
    let is_wasm = |kind: &str| kind == "application/wasm" || kind.ends_with("+wasm");
    let mut layers = manifest.layers.iter().filter(|layer| is_wasm(&layer.media_type));
    let (Some(layer), None) = (layers.next(), layers.next()) else {
        return Err("its manifest does not name exactly one layer of type `application/wasm`".into());
    };
    if layer.size > identify::MAX_COMPONENT_BYTES {
        return Err(identify::too_large());
    }
    let digest = layer.digest.strip_prefix("sha256:").filter(|digest| super::super::source::is_sha256(digest));
    digest.map(str::to_owned).ok_or_else(|| "its component has a digest other than SHA-256".into())
}

/// A challenge that names the server for tokens: `Bearer realm="…",service="…",scope="…"`.
#[derive(Debug, Default, PartialEq, Eq)]
struct BearerChallenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl BearerChallenge {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, mut rest) = text.split_once(' ')?;
        let mut challenge = Self::default();
        // A value may hold commas, so it ends at its quote.
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            match name.trim_matches([',', ' ']) {
                "realm" => challenge.realm = value.into(),
                "service" => challenge.service = Some(value.into()),
                "scope" => challenge.scope = Some(value.into()),
                _ => {}
            }
            rest = after;
        }
        (scheme.eq_ignore_ascii_case("bearer") && !challenge.realm.is_empty()).then_some(challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_parsed() {
        let text =
            "Bearer realm=\"https://auth.example/token\", service=\"r\",scope=\"repository:a/b:pull,push\",error=\"x\"";
        let expected = BearerChallenge {
            realm: "https://auth.example/token".into(),
            service: Some("r".into()),
            scope: Some("repository:a/b:pull,push".into()),
        };
        assert_eq!(BearerChallenge::parse(text), Some(expected));
        for text in ["Basic realm=\"x\"", "Bearer", "Bearer service=\"x\"", "Bearer realm=\"x", ""] {
            assert_eq!(BearerChallenge::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_manifest_names_one_component() {
        let digest = "0123456789abcdef".repeat(4);
        let layer =
            |kind: &str, size: u64| format!(r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{size}}}"#);
        let of = |layers: &[String]| component_of(format!(r#"{{"layers":[{}]}}"#, layers.join(",")).as_bytes());
        let wasm = || layer("application/wasm", 9);
        assert_eq!(of(&[wasm()]), Ok(digest.clone()));
        assert_eq!(
            of(&[layer("text/plain", 9), layer("application/vnd.wasm.content.layer.v1+wasm", 9)]),
            Ok(digest.clone())
        );
        assert_eq!(of(&[layer("application/wasm", 1 << 40)]), Err(identify::too_large()));
        for layers in [vec![], vec![layer("text/plain", 9)], vec![wasm(), wasm()]] {
            assert!(of(&layers).unwrap_err().contains("exactly one layer"));
        }
        assert!(component_of(b"[]").is_err() && component_of(br#"{"manifests":[]}"#).is_err());
    }
}
