//! Holds the version table of the documentation to the manifest and the contract.

const TUTORIAL: &str = include_str!("../src/lib.rs");
const WORLD: &str = include_str!("../../wit/world.wit");

#[test]
fn the_first_row_of_the_table_is_this_version() {
    let contract = WORLD.split_once("package stampede:plugin@").and_then(|(_, rest)| rest.split_once(';'));
    let (contract, _) = contract.expect("the contract has a version");
    let (version, rust) = (env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_RUST_VERSION"));
    let (_, table) = TUTORIAL.split_once("//! |---|---|---|\n").expect("the table");
    assert_eq!(table.lines().next(), Some(format!("//! | {version} | {contract} | {rust} |").as_str()));
}
