//! Commands that are crates of their own, so that their dependencies do not delay the others.

use xtask::step::{self, Failure};
use xtask::workspace::{cargo, root};

/// Builds and runs a command's crate with its arguments, in the folder of the caller, which they may be relative to.
pub(crate) fn run(command: &str, arguments: &[&str]) -> Result<(), Failure> {
    let mut run = cargo();
    run.args(["run", "--quiet", "--package", &format!("stampede-{command}"), "--manifest-path"]);
    step::succeed(command, run.arg(root().join("Cargo.toml")).arg("--").args(arguments))
}
