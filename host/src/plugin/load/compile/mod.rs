//! From a component's bytes to machine code. wasmtime's compiler gives no guarantee against bytes made to exhaust it.
//! So components of strangers are compiled by a child process, which has caps on memory and processor time and can be
//! killed. Built-in ones are compiled in this process. The code is cached in both cases.
//!
//! The cache holds machine code under the hash of the component's bytes and of every setting of the engine that affects
//! the code. Code from any source but this cache and this program's own child is never loaded. Of large components it
//! also holds the single functions, for the next version of the same component.

#[cfg_attr(unix, path = "caps_unix.rs")]
#[cfg_attr(not(unix), path = "caps_other.rs")]
mod caps;
mod child;
mod function_cache;
mod limits;
mod parent;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::CacheEntry;
use super::identify;
use super::loader::BuiltinPlugin;
use crate::plugin::instance::error_text::error_text;

pub(crate) use child::compile_input;
use limits::LARGE_COMPONENT;
pub(crate) use limits::{CompileCaps, CompileFailure};

/// The largest compiled code that is read from the cache.
const MAX_CODE_BYTES: u64 = 1 << 30;

/// The number of the format of entries, which is part of their names: code and its checksum.
const ENTRY_FORMAT: u32 = 2;

/// The number of the format of packs of functions.
const PACK_FORMAT: u32 = 1;

/// The length of a SHA-256 checksum.
const CHECKSUM_BYTES: usize = 32;

/// Compiles a built-in component in this process, or takes it from the cache.
///
/// # Errors
/// It does not compile, which is a bug.
pub(crate) fn compile_builtin(engine: &Engine, plugin: &BuiltinPlugin) -> Result<Component, String> {
    let entry = cache_entry(engine, plugin.digest);
    if let Some(component) = entry.as_ref().and_then(|entry| load_cached(engine, entry)) {
        return Ok(component);
    }
    let bytes = plugin.component().map_err(|error| error.to_string())?;
    let component = Component::new(engine, bytes).map_err(|error| error_text(&error))?;
    if let Some(entry) = entry {
        save(&entry, component.serialize().map_err(|error| error_text(&error))?);
    }
    Ok(component)
}

/// Compiles a component of a stranger in a child process, or takes it from the cache. If compiling takes long, a notice
/// with `name` is printed, if there is a name.
///
/// # Errors
/// The bytes are not a component, or it does not compile within its caps.
pub(crate) fn compile_untrusted(
    engine: &Engine,
    name: Option<&str>,
    bytes: &[u8],
    caps: CompileCaps,
) -> Result<Component, CompileFailure> {
    identify::check_kind(bytes)?;
    let entry = cache_entry(engine, &identify::sha256(bytes));
    if let Some(component) = entry.as_ref().and_then(|entry| load_cached(engine, entry)) {
        return Ok(component);
    }
    let functions = (bytes.len() >= LARGE_COMPONENT).then(|| functions_entry(engine)).flatten();
    let code = parent::compile(name, bytes, caps, functions.as_ref())?;
    // SAFETY: the code comes from this program's own child over their own pipe, and the child does with the bytes what
    // this process would have done; wasmtime also checks version and settings.
    let component = unsafe { Component::deserialize(engine, &code) };
    let component = component.map_err(|error| error_text(&error))?;
    if let Some(entry) = entry {
        save(&entry, code);
    }
    Ok(component)
}

/// Saves code with its checksum behind it: damaged code would run, and may do anything.
fn save(entry: &CacheEntry, mut code: Vec<u8>) {
    let checksum = Sha256::digest(&code);
    code.extend_from_slice(&checksum);
    entry.save(&code);
}

/// Loads code from the cache; `None` if it is not there, or not as it was saved.
fn load_cached(engine: &Engine, entry: &CacheEntry) -> Option<Component> {
    let saved = entry.read(MAX_CODE_BYTES)?;
    let Some(code) = checked(&saved) else {
        tracing::warn!("compiled code in the cache was damaged, and is compiled again");
        return None;
    };
    // SAFETY: the file is the user's own, lies in the user's private cache folder, was written by this program from an
    // engine's own output and is unchanged since; wasmtime also checks its version and settings.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// Returns the bytes before the checksum at the end, if it is theirs.
fn checked(saved: &[u8]) -> Option<&[u8]> {
    let (bytes, checksum) = saved.split_last_chunk::<CHECKSUM_BYTES>()?;
    (Sha256::digest(bytes).as_slice() == checksum).then_some(bytes)
}

fn cache_entry(engine: &Engine, digest: &str) -> Option<CacheEntry> {
    CacheEntry::named(&format!("{digest}-{}.cwasm", compatibility(engine, ENTRY_FORMAT)))
}

/// Returns the entry of the functions of large components.
fn functions_entry(engine: &Engine) -> Option<CacheEntry> {
    CacheEntry::named(&format!("functions-{}.pack", compatibility(engine, PACK_FORMAT)))
}

/// Returns a hash of the settings of an engine and of a format.
fn compatibility(engine: &Engine, format: u32) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut compatibility = DefaultHasher::new();
    (engine.precompile_compatibility_hash(), format).hash(&mut compatibility);
    format!("{:016x}", compatibility.finish())
}
