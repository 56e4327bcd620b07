//! The licences of all that the binary is made of: the crates of the host and of its components, and what is in the
//! page. Packages with the same text share it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, Metadata, NodeDep, Package, PackageId};
use serde_json::Value;
use xtask::workspace::root;

/// The package of the binary.
pub(crate) const PROGRAM: &str = "stampede-shooter";

/// Beginnings of the names of files with a licence.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT"];

/// Returns the notices of all packages.
pub(crate) fn text(metadata: &Metadata) -> Result<String> {
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut list = String::from("This program contains the packages below, under these licences.\n\n");
    for package in packages(metadata)? {
        let name = format!("{} {}", package.name, package.version);
        let license = package.license.as_deref().context(format!("{name} names no licence"))?;
        writeln!(list, "{name}: {license}")?;
        for text in license_texts(package.manifest_path.parent().map_or(Path::new(""), |folder| folder.as_std_path()))?
        {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for (name, license) in page_packages()? {
        writeln!(list, "{name}: {license}")?;
    }
    for (text, names) in texts {
        let names: Vec<_> = names.into_iter().collect();
        write!(list, "\n{}\n{}\n\n{}\n", "-".repeat(78), names.join(", "), text.trim_end())?;
    }
    Ok(list)
}

/// Returns the packages that are linked into the binary or into one of its components, sorted by name; not those of
/// the workspace.
pub(crate) fn packages(metadata: &Metadata) -> Result<Vec<&Package>> {
    let mut packages = linked(metadata)?;
    packages.retain(|package| package.source.is_some());
    ensure!(packages.len() > 100, "only {} packages were found", packages.len());
    Ok(packages)
}

/// Returns the packages that are linked into the binary or into one of its components, sorted by name.
pub(crate) fn linked(metadata: &Metadata) -> Result<Vec<&Package>> {
    let is_root = |package: &&Package| package.name.as_str() == PROGRAM || is_component(package);
    let mut found: BTreeSet<&PackageId> = BTreeSet::new();
    let mut waiting: Vec<_> =
        metadata.workspace_packages().into_iter().filter(is_root).map(|package| &package.id).collect();
    while let Some(id) = waiting.pop() {
        if found.insert(id) {
            waiting.extend(dependencies(metadata, id)?);
        }
    }
    let mut packages: Vec<_> = found.into_iter().map(|id| &metadata[id]).collect();
    packages.sort_by_key(|package| (package.name.as_str(), &package.version));
    Ok(packages)
}

/// Returns `true` if a package of the workspace is a component that the binary contains, or the SDK.
pub(crate) fn is_component(package: &Package) -> bool {
    package.name.starts_with("stampede-plugin")
}

/// Returns the packages that one links.
pub(crate) fn dependencies<'m>(metadata: &'m Metadata, id: &PackageId) -> Result<Vec<&'m PackageId>> {
    let nodes = &metadata.resolve.as_ref().context("cargo told no dependencies")?.nodes;
    let node = nodes.iter().find(|node| node.id == *id).context("a package has no dependencies")?;
    let is_linked = |dependency: &&NodeDep| dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
    Ok(node.deps.iter().filter(is_linked).map(|dependency| &dependency.pkg).collect())
}

/// Returns the texts of the licences in a package's folder.
fn license_texts(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
        if path.is_file() && NAMES.iter().any(|known| name.starts_with(known)) {
            texts.push(String::from_utf8_lossy(&fs::read(&path)?).replace("\r\n", "\n"));
        }
    }
    Ok(texts)
}

/// Returns the packages that are bundled into the page, with their licences. The bundler itself is not among them.
pub(crate) fn page_packages() -> Result<Vec<(String, String)>> {
    let lock: Value = serde_json::from_slice(&fs::read(root().join("host/page/package-lock.json"))?)?;
    let packages = lock["packages"].as_object().context("the page's lock has no packages")?;
    let of_package = |(path, package): (&String, &Value)| {
        let name = path.strip_prefix("node_modules/")?;
        let is_bundled = package["dev"] != true && !name.contains("esbuild");
        let text = |key: &str| package[key].as_str().map(str::to_owned);
        is_bundled.then(|| Some((format!("{name} {}", text("version")?), text("license")?))).flatten()
    };
    Ok(packages.iter().filter_map(of_package).collect())
}
