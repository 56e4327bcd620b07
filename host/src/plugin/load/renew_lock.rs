//! `plugin lock`: writes the current digests of the plugins that a script names.

use super::lock_file::{LockFile, LockedPlugin, script_key};
use super::parallel_map::parallel_map;
use super::resolve::UserPlugin;
use crate::diagnostic::Diagnostics;
use crate::script::model::Script;

/// Fetches every component that a script names and renews its entries; those of other scripts in the folder stay.
/// Returns the entries of this script.
///
/// # Errors
/// A component cannot be fetched, or the lock cannot be read or written.
pub(crate) fn update_lock(script: &Script) -> Result<Vec<(String, LockedPlugin)>, Diagnostics> {
    let folder = script.folder();
    let mut diagnostics = Diagnostics::default();
    let user_plugins: Vec<_> =
        UserPlugin::all(script).filter_map(|own| diagnostics.absorb(own.map_err(Diagnostics::from))).collect();
    let digests = parallel_map(&user_plugins, |own| own.current_digest(&folder));
    let mut renewed = Vec::new();
    for (own, digest) in user_plugins.iter().zip(digests) {
        let Some(sha256) = diagnostics.absorb(digest.map_err(Diagnostics::from)) else { continue };
        renewed.push((own.name.to_owned(), LockedPlugin { source: own.typed_source.value.clone(), sha256 }));
    }
    let renewed = diagnostics.into_result(renewed)?;
    let mut lock = LockFile::read(&folder)?;
    lock.set(script_key(&script.source), renewed.iter().cloned());
    lock.write(&folder)?;
    Ok(renewed)
}
