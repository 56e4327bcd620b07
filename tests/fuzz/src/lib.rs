//! The fuzz targets: every parser that reads what comes from elsewhere. A target takes any bytes; it fails by a panic.
//!
//! The tests of this crate try each target with the files of the repository and small changes of them, always the same.
//! `cargo xtask fuzz` searches on with libFuzzer, which is led by the code that an input reaches.

mod changes;
mod manifests;
mod seeds;

pub use changes::changed;
pub use seeds::seeds;
pub use stampede_shooter::fuzzing::FuzzTarget;

/// Returns the targets of all crates.
pub fn targets() -> impl Iterator<Item = &'static FuzzTarget> {
    stampede_shooter::fuzzing::TARGETS.iter().chain(manifests::TARGETS)
}

/// Returns the target of this name.
pub fn target(name: &str) -> Option<&'static FuzzTarget> {
    targets().find(|target| target.name == name)
}
