//! From a source to a component's bytes. A fetched component is kept in the private cache under its digest and verified
//! each time it is read, so that a second start needs no network.

mod http;
mod oci;

use std::path::Path;
use std::time::Duration;

use super::cache::CacheEntry;
use super::identify::{self, sha256};
use super::source::{ArtifactVersion, OciReference, PluginSource};
use http::{FetchClient, FetchRequest};
use oci::OciRepository;

/// Maximum time for fetching one component.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// Fetches a component. `digest` is the digest that the caller is going to check: with it the cache is read first, and
/// an artifact is pulled by it, whatever its tag names by now.
///
/// # Errors
/// It cannot be read or fetched; the text says why.
pub(crate) fn fetch_component(source: &PluginSource, folder: &Path, digest: Option<&str>) -> Result<Vec<u8>, String> {
    match source {
        PluginSource::File(path) => identify::read(&folder.join(path)),
        PluginSource::Https(url) => cached_or_fetched(digest, "wasm", || {
            with_network(async |client| {
                let request = FetchRequest {
                    url,
                    accept: "application/wasm, */*",
                    token: None,
                    max_bytes: identify::MAX_COMPONENT_BYTES,
                };
                let response = client.get(request).await?;
                match response.status.as_u16() {
                    200 => Ok(response.body),
                    other => Err(format!("{} answered with status {other}", http::server_name(url))),
                }
            })
        }),
        PluginSource::Oci(reference) => pull_artifact(reference, digest),
    }
}

fn pull_artifact(reference: &OciReference, wanted: Option<&str>) -> Result<Vec<u8>, String> {
    let layer = match (&reference.version, wanted) {
        (ArtifactVersion::Manifest(digest), _) => {
            let name = format!("sha256:{digest}");
            let manifest = cached_or_fetched(Some(digest), "manifest", || {
                with_network(async |client| OciRepository::new(client, reference).manifest(&name).await)
            })?;
            if sha256(&manifest) != *digest {
                return Err(format!(
                    "{} returned another manifest for this digest",
                    http::server_name(&reference.registry)
                ));
            }
            oci::component_of(&manifest)?
        }
        (ArtifactVersion::Tag(_), Some(wanted)) => wanted.to_owned(),
        (ArtifactVersion::Tag(tag), None) => {
            oci::component_of(&with_network(async |client| OciRepository::new(client, reference).manifest(tag).await)?)?
        }
    };
    let bytes = cached_or_fetched(Some(&layer), "wasm", || {
        with_network(async |client| OciRepository::new(client, reference).blob(&layer).await)
    })?;
    if sha256(&bytes) != layer {
        return Err(format!("{} returned another component for this digest", http::server_name(&reference.registry)));
    }
    Ok(bytes)
}

/// Returns the bytes that the cache has under a digest, or fetches them and keeps them if they have that digest.
fn cached_or_fetched(
    wanted: Option<&str>,
    kind: &str,
    fetch: impl FnOnce() -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, String> {
    let Some(wanted) = wanted else { return fetch() };
    let entry = CacheEntry::named(&format!("{wanted}.{kind}"));
    let is_wanted = |bytes: &Vec<u8>| sha256(bytes) == wanted;
    if let Some(bytes) = entry.as_ref().and_then(|entry| entry.read(identify::MAX_COMPONENT_BYTES)).filter(is_wanted) {
        return Ok(bytes);
    }
    let bytes = fetch()?;
    if let Some(entry) = entry.filter(|_| is_wanted(&bytes)) {
        entry.save(&bytes);
    }
    Ok(bytes)
}

/// Runs `work` with a client, within [`FETCH_TIMEOUT`].
fn with_network(work: impl AsyncFnOnce(&FetchClient) -> Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
    let client = FetchClient::new()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let done = runtime.block_on(async { tokio::time::timeout(FETCH_TIMEOUT, work(&client)).await });
    // Does not wait for a name that is still being resolved.
    runtime.shutdown_background();
    done.unwrap_or_else(|_| Err(format!("it did not arrive within {} s", FETCH_TIMEOUT.as_secs())))
}
