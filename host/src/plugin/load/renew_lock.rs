//! `plugin lock`: the digests of what a script names, as they are now.

use super::lock::{Lock, Locked};
use super::parallel_map::side_by_side;
use super::resolve::Own;
use crate::diagnostic::Diagnostics;
use crate::script::model::Script;

/// Gets every component that a script names and renews their entries; those of other scripts in the folder stay. Gives
/// the entries of this script.
///
/// # Errors
/// A component cannot be had, or the lock cannot be read or written.
pub fn renew(script: &Script) -> Result<Vec<(String, Locked)>, Diagnostics> {
    let folder = script.folder();
    let mut found = Diagnostics::default();
    let own: Vec<_> = Own::all(script).filter_map(|own| found.absorb(own.map_err(Diagnostics::from))).collect();
    let digests = side_by_side(&own, |own| own.digest(&folder));
    let mut renewed = Vec::new();
    for (own, digest) in own.iter().zip(digests) {
        let Some(sha256) = found.absorb(digest.map_err(Diagnostics::from)) else { continue };
        renewed.push((own.name.to_owned(), Locked { source: own.typed.value.clone(), sha256 }));
    }
    let renewed = found.into_result(renewed)?;
    let mut lock = Lock::read(&folder)?;
    lock.plugins.extend(renewed.iter().cloned());
    lock.write(&folder)?;
    Ok(renewed)
}
