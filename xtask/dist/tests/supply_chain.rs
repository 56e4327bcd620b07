//! The rules of `deny.toml` that need no network and no tool: licences and sources.

use std::fs;

use cargo_metadata::{Metadata, MetadataCommand};
use spdx::{Expression, Licensee};
use toml::Table;
use xtask::workspace::root;

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).other_options(["--locked".to_owned()]).exec().expect("cargo metadata")
}

/// Returns the licences that are allowed.
fn allowed() -> Vec<Licensee> {
    let text = fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let rules: Table = text.parse().expect("deny.toml is TOML");
    let list = rules["licenses"]["allow"].as_array().expect("a list of licences");
    list.iter().map(|name| Licensee::parse(name.as_str().expect("a text")).expect("an identifier of SPDX")).collect()
}

/// Returns `true` if a licence, as a manifest writes it, is among those allowed.
fn is_allowed(license: &str, allowed: &[Licensee]) -> bool {
    // Until 2019 `/` stood for OR.
    let expression = Expression::parse(&license.replace('/', " OR ")).expect("an expression of SPDX");
    expression.evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)))
}

#[test]
fn every_package_has_a_licence_that_is_allowed() {
    let (metadata, allowed) = (metadata(), allowed());
    let offences = metadata.packages.iter().filter(|package| {
        let license = package.license.as_deref().expect("a package names its licence");
        !is_allowed(license, &allowed)
    });
    let offences: Vec<_> = offences.map(|package| format!("{} {:?}", package.name, package.license)).collect();
    assert!(offences.is_empty(), "deny.toml does not allow: {offences:#?}");
    assert!(!is_allowed("GPL-3.0-only", &allowed), "the test finds an offence");
    assert!(!is_allowed("MIT AND GPL-3.0-only", &allowed) && is_allowed("MIT/GPL-3.0-only", &allowed));
}

#[test]
fn every_package_comes_from_the_registry_or_the_workspace() {
    let metadata = metadata();
    let others = metadata.packages.iter().filter_map(|package| package.source.as_ref());
    let others: Vec<_> = others.filter(|source| !source.is_crates_io()).collect();
    assert!(others.is_empty(), "packages come from elsewhere: {others:?}");
    let locked = metadata.packages.iter().filter(|package| package.source.is_some()).count();
    assert!(locked > 300, "only {locked} packages were seen");
}
