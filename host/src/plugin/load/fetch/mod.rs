//! From a source to a component's bytes. What comes over the network is kept in the private cache under its digest, and
//! verified each time it is read, so that a second start needs no network.

mod http;
mod oci;

use std::path::Path;
use std::time::Duration;

use super::cache::Entry;
use super::locate::{self, sha256};
use super::source::{Reference, Source, Version};
use http::{Client, Question};
use oci::Repository;

/// How long one component may take to come.
const TIME: Duration = Duration::from_secs(60);

/// Gets a component. `wanted` is the digest that the caller is going to check: with it the cache is asked first, and an
/// artifact is pulled by it, wherever its tag leads by now.
///
/// # Errors
/// It cannot be read or fetched; the text says why.
pub fn obtain(source: &Source, folder: &Path, wanted: Option<&str>) -> Result<Vec<u8>, String> {
    match source {
        Source::File(path) => locate::read(&folder.join(path)),
        Source::Https(url) => kept(wanted, "wasm", || {
            fetch(async |client| {
                let question = Question { url, accept: "application/wasm, */*", token: None, most: locate::LARGEST };
                let answer = client.ask(question).await?;
                match answer.status.as_u16() {
                    200 => Ok(answer.body),
                    other => Err(format!("{} answered with status {other}", http::host(url))),
                }
            })
        }),
        Source::Oci(reference) => artifact(reference, wanted),
    }
}

fn artifact(reference: &Reference, wanted: Option<&str>) -> Result<Vec<u8>, String> {
    let layer = match (&reference.version, wanted) {
        (Version::Manifest(digest), _) => {
            let name = format!("sha256:{digest}");
            let manifest = kept(Some(digest), "manifest", || {
                fetch(async |client| Repository::new(client, reference).manifest(&name).await)
            })?;
            if sha256(&manifest) != *digest {
                return Err(format!("{} gives another manifest for this digest", http::host(&reference.registry)));
            }
            oci::component_of(&manifest)?
        }
        (Version::Tag(_), Some(wanted)) => wanted.to_owned(),
        (Version::Tag(tag), None) => {
            oci::component_of(&fetch(async |client| Repository::new(client, reference).manifest(tag).await)?)?
        }
    };
    let bytes =
        kept(Some(&layer), "wasm", || fetch(async |client| Repository::new(client, reference).blob(&layer).await))?;
    if sha256(&bytes) != layer {
        return Err(format!("{} gives another component for this digest", http::host(&reference.registry)));
    }
    Ok(bytes)
}

/// What the cache has under a digest, or what is fetched, which is kept if it has that digest.
fn kept(wanted: Option<&str>, kind: &str, fetch: impl FnOnce() -> Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
    let Some(wanted) = wanted else { return fetch() };
    let entry = Entry::named(&format!("{wanted}.{kind}"));
    let is_wanted = |bytes: &Vec<u8>| sha256(bytes) == wanted;
    if let Some(bytes) = entry.as_ref().and_then(|entry| entry.read(locate::LARGEST)).filter(is_wanted) {
        return Ok(bytes);
    }
    let bytes = fetch()?;
    if let Some(entry) = entry.filter(|_| is_wanted(&bytes)) {
        entry.keep(&bytes);
    }
    Ok(bytes)
}

/// Does something with the network, in time.
fn fetch(work: impl AsyncFnOnce(&Client) -> Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
    let client = Client::new()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let done = runtime.block_on(async { tokio::time::timeout(TIME, work(&client)).await });
    // A name that is still being resolved is not waited for.
    runtime.shutdown_background();
    done.unwrap_or_else(|_| Err(format!("it did not come within {} s", TIME.as_secs())))
}
