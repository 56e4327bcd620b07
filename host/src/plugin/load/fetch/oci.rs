//! Pulling from an OCI registry, as its distribution specification has it: a manifest by tag or digest, and the blob it
//! names. A registry that asks for a token is asked for an anonymous one; credentials are not supported, as only what
//! is public can be named in a script that others run.
//!
//! This is not left to oci-client: it takes neither a redirect policy nor TLS settings nor a cap on a manifest.

use hyper::StatusCode;
use hyper::header::WWW_AUTHENTICATE;
use serde::Deserialize;
use url::Url;

use super::super::identify;
use super::super::source::OciReference;
use super::http::{FetchClient, FetchRequest, FetchResponse, may_follow, server_name};

/// Most bytes of a manifest, as the specification recommends, and of a token.
const MAX_MANIFEST: u64 = 4 << 20;
/// The kinds of manifest that are understood.
const MANIFEST_TYPES: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// One repository of a registry, for one pull.
pub struct OciRepository<'a> {
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
    /// A repository that was not asked anything yet.
    pub const fn new(client: &'a FetchClient, reference: &'a OciReference) -> Self {
        Self { client, reference, token: None }
    }

    /// The manifest that a tag or a digest names, as it came.
    ///
    /// # Errors
    /// The registry does not give it.
    pub async fn manifest(&mut self, version: &str) -> Result<Vec<u8>, String> {
        self.get(&format!("manifests/{version}"), MANIFEST_TYPES, MAX_MANIFEST).await
    }

    /// The blob of that SHA-256 digest, as it came.
    ///
    /// # Errors
    /// The registry does not give it.
    pub async fn blob(&mut self, sha256: &str) -> Result<Vec<u8>, String> {
        self.get(&format!("blobs/sha256:{sha256}"), "*/*", identify::MAX_COMPONENT_BYTES).await
    }

    async fn get(&mut self, what: &str, accept: &str, most: u64) -> Result<Vec<u8>, String> {
        let registry = &self.reference.registry;
        let path = format!("v2/{}/{what}", self.reference.repository);
        let url = registry.join(&path).map_err(|error| error.to_string())?;
        let mut answer = self.send(&url, accept, most).await?;
        if answer.status == StatusCode::UNAUTHORIZED && self.token.is_none() {
            self.token = Some(self.anonymous_token(&answer).await?);
            answer = self.send(&url, accept, most).await?;
        }
        let repository = &self.reference.repository;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            StatusCode::NOT_FOUND => Err(format!("{} has no `{repository}` with {what}", server_name(registry))),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(auth_required(registry)),
            other => Err(format!("{} answered with status {}", server_name(registry), other.as_u16())),
        }
    }

    async fn send(&self, url: &Url, accept: &str, most: u64) -> Result<FetchResponse, String> {
        self.client.get(FetchRequest { url, accept, token: self.token.as_deref(), max_bytes: most }).await
    }

    /// The token that anyone is given who asks where the registry says.
    async fn anonymous_token(&self, refused: &FetchResponse) -> Result<String, String> {
        let registry = &self.reference.registry;
        let challenge = refused.headers.get(WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok());
        let challenge = challenge.and_then(BearerChallenge::parse).ok_or_else(|| auth_required(registry))?;
        let mut realm = Url::parse(&challenge.realm).map_err(|_| auth_required(registry))?;
        if !may_follow(registry, &realm) {
            return Err(format!(
                "{} sends to {} for a token, where anyone can listen",
                server_name(registry),
                server_name(&realm)
            ));
        }
        let scope = challenge.scope.unwrap_or_else(|| format!("repository:{}:pull", self.reference.repository));
        realm
            .query_pairs_mut()
            .extend_pairs(challenge.service.map(|service| ("service", service)))
            .append_pair("scope", &scope);
        let answer = self.send(&realm, "application/json", MAX_MANIFEST).await?;
        let token: Option<RegistryToken> = serde_json::from_slice(&answer.body).ok();
        token.filter(|_| answer.status == StatusCode::OK).map(|it| it.token).ok_or_else(|| auth_required(registry))
    }
}

fn auth_required(registry: &Url) -> String {
    format!("{} gives it to nobody without credentials, which are not supported", server_name(registry))
}

/// The digest of the component that a manifest names.
///
/// # Errors
/// It names none, several, or one that is too large.
pub fn component_of(manifest: &[u8]) -> Result<String, String> {
    let manifest: OciManifest =
        serde_json::from_slice(manifest).map_err(|_| "its manifest is none of an OCI artifact")?;
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

/// Where a token is to be had: `Bearer realm="…",service="…",scope="…"`.
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
    fn challenges_are_read() {
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
