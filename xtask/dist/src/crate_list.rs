//! The list of crates in the binary itself, in the form of cargo-auditable: scanners of vulnerabilities find it in any
//! copy of the binary, also where the package's own list was lost. The host's build script embeds it as the section
//! [`SECTION`].

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use auditable_serde::{DependencyKind, Package, Source, VersionInfo};
use cargo_metadata::{Metadata, PackageId};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use object::{Object, ObjectSection};
use xtask::workspace::target_folder;

use crate::notices;
use crate::targets::TargetSystem;

/// The variable that names the list to the host's build script.
pub(crate) const VARIABLE: &str = "STAMPEDE_CRATE_LIST";

/// The name of the section, which cargo-auditable has chosen.
const SECTION: &str = ".dep-v0";

/// Writes the compressed list of a target and returns the file.
pub(crate) fn write(target: &TargetSystem, metadata: &Metadata) -> Result<PathBuf> {
    let mut compressed = ZlibEncoder::new(Vec::new(), Compression::best());
    compressed.write_all(&serde_json::to_vec(&list(metadata)?)?)?;
    let file = target_folder().join("tools/dist").join(format!("{}.crates", target.triple));
    let bytes = compressed.finish()?;
    // A file that was written again would have the host compiled again.
    if fs::read(&file).ok().as_ref() != Some(&bytes) {
        fs::write(&file, bytes).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(file)
}

/// Checks that a binary contains the list.
pub(crate) fn check(binary: &Path, metadata: &Metadata) -> Result<()> {
    let bytes = fs::read(binary)?;
    let file = object::File::parse(&*bytes)?;
    let section = file.section_by_name(SECTION).context("the binary has no list of its crates")?;
    let mut text = String::new();
    ZlibDecoder::new(section.data()?).read_to_string(&mut text)?;
    let embedded: VersionInfo = text.parse()?;
    ensure!(embedded == list(metadata)?, "the binary's list of crates is that of another build");
    Ok(())
}

/// Lists the crates. Those of the components are dependencies of the program, since it contains them.
fn list(metadata: &Metadata) -> Result<VersionInfo> {
    let linked = notices::linked(metadata)?;
    let place = |id: &PackageId| linked.iter().position(|package| package.id == *id);
    let packages = linked.iter().map(|package| {
        let is_root = package.name.as_str() == notices::PROGRAM;
        let mut dependencies: Vec<_> =
            notices::dependencies(metadata, &package.id)?.into_iter().filter_map(place).collect();
        if is_root {
            let components = linked.iter().enumerate().filter(|(_, package)| notices::is_component(package));
            dependencies.extend(components.map(|(place, _)| place));
        }
        dependencies.sort_unstable();
        dependencies.dedup();
        let source = package
            .source
            .as_ref()
            .map_or(Source::Local, |source| if source.is_crates_io() { Source::CratesIo } else { Source::Registry });
        Ok(Package {
            name: package.name.to_string(),
            version: package.version.clone(),
            source,
            kind: DependencyKind::Runtime,
            dependencies,
            root: is_root,
        })
    });
    Ok(VersionInfo { packages: packages.collect::<Result<_>>()?, format: 0 })
}
