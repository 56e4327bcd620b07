//! `cargo xtask test`: all that must hold before a change is merged, and all that continuous integration runs.

use crate::instructions;
use crate::languages;
use crate::nginx;
use crate::registry;
use crate::step::{self, Failure};
use crate::workspace::{cargo, ensure_target};

/// Code that only a benchmark compiles.
const TWIN: &str = "stampede-shooter/native-twin";

/// The steps, quickest first, with the arguments of cargo.
const STEPS: [(&str, &[&str]); 4] = [
    ("format", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--features", TWIN, "--", "-D", "warnings"]),
    ("test", &["test", "--workspace"]),
    // It lies outside the workspace, as a user's plugin does.
    ("test of the example", &["test", "--locked", "--manifest-path", "examples/plugin-greet/Cargo.toml"]),
];

/// Sets up, then runs every step until one fails.
pub fn run() -> Result<(), Failure> {
    ensure_target()?;
    nginx::ensure()?;
    registry::ensure()?;
    languages::ensure()?;
    STEPS.iter().try_for_each(|(name, arguments)| step::run(name, &mut cargo(arguments)))?;
    // The counts are those of one processor's instructions, and callgrind does not run everywhere.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) { instructions::run() } else { Ok(()) }
}
