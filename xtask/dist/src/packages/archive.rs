//! The archive of a folder, by a name that cargo-binstall finds: `stampede-shooter-VERSION-TRIPLE.tar.gz`, or `.zip`
//! for Windows.

use anyhow::Result;

use super::{Package, PackageKind, gzip, tar, zip};
use crate::contents::{Contents, Release};
use crate::targets::TargetSystem;

/// Packs the files.
pub(crate) fn pack(release: &Release, target: &TargetSystem, contents: &Contents) -> Result<Package> {
    let folder = format!("stampede-shooter-{}-{}", release.version, target.triple);
    let prefix = format!("{folder}/");
    let (name, bytes) = if target.is_windows() {
        (format!("{folder}.zip"), zip(release, &prefix, &contents.files)?)
    } else {
        (format!("{folder}.tar.gz"), gzip(&tar(release, &prefix, &contents.files)?)?)
    };
    Ok(Package { name, triple: target.triple, kind: PackageKind::Archive, bytes })
}
