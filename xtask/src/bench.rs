//! `cargo xtask bench`: starts the benchmark, which is a crate of its own so that its dependencies do not delay the
//! other commands.

use xtask::step::{self, Failure};
use xtask::workspace::{cargo, root};

/// Builds and runs the benchmark with its arguments, in the folder of the caller, which `--binary` may be relative to.
pub(crate) fn run(arguments: &[&str]) -> Result<(), Failure> {
    let mut bench = cargo();
    bench.args(["run", "--quiet", "--package", "stampede-bench", "--manifest-path"]).arg(root().join("Cargo.toml"));
    step::succeed("bench", bench.arg("--").args(arguments))
}
