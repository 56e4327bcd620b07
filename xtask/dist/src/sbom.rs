//! The list of what the binary is made of, in the form of CycloneDX 1.5 (ECMA-424), JSON.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Result;
use cargo_metadata::Metadata;
use serde_json::{Value, json};
use xtask::workspace::root;

use crate::contents::Release;
use crate::notices;
use crate::targets::TargetSystem;

/// Returns the document.
pub(crate) fn text(release: &Release, target: &TargetSystem, metadata: &Metadata) -> Result<String> {
    let checksums = checksums(&fs::read_to_string(root().join("Cargo.lock"))?);
    let mut components = Vec::new();
    for package in notices::packages(metadata)? {
        let (name, version) = (package.name.as_str(), package.version.to_string());
        let reference = format!("pkg:cargo/{name}@{version}");
        let mut component = json!({
            "type": "library", "bom-ref": reference, "name": name, "version": version, "purl": reference,
            "licenses": [{"expression": package.license.as_deref().unwrap_or_default().replace('/', " OR ")}],
        });
        if let Some(checksum) = checksums.get(&(name.to_owned(), version)) {
            component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
        }
        components.push(component);
    }
    for (package, license) in notices::page_packages()? {
        let (name, version) = package.split_once(' ').unwrap_or((&package, ""));
        let reference = format!("pkg:npm/{name}@{version}");
        components.push(json!({
            "type": "library", "bom-ref": reference, "name": name, "version": version, "purl": reference,
            "licenses": [{"expression": license}],
        }));
    }
    let document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": component(release, target)},
        "components": components,
    });
    Ok(format!("{document:#}\n"))
}

fn component(release: &Release, target: &TargetSystem) -> Value {
    let reference = format!("pkg:generic/stampede-shooter@{}?target={}", release.version, target.triple);
    json!({
        "type": "application", "bom-ref": reference, "name": "stampede-shooter", "version": release.version,
        "purl": reference, "description": release.description,
        "externalReferences": [{"type": "vcs", "url": release.repository}],
    })
}

/// Returns the SHA-256 digests of packages by name and version, as cargo's lock has them.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let packages = lock.split("[[package]]").skip(1).filter_map(|package| {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    });
    packages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_lock() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\n\
                    version = \"2.0.0\"\nsource = \"registry\"\nchecksum = \"0a1b\"\n";
        let expected = BTreeMap::from([(("b".to_owned(), "2.0.0".to_owned()), "0a1b".to_owned())]);
        assert_eq!(checksums(lock), expected);
    }
}
