//! `cargo xtask test`: everything that must hold before a change is merged, and all that continuous integration runs.

use xtask::languages;
use xtask::program::{NGINX, Program};
use xtask::step::{self, Failure};
use xtask::workspace::{ensure_target, workspace_cargo};

use crate::instructions;

/// The feature with code that only a benchmark compiles.
const TWIN: &str = "stampede-shooter/native-twin";

/// The OCI registry that the tests push components to and pull them from.
const REGISTRY: Program = Program {
    name: "docker-registry",
    package: "docker-registry",
    missing: "docker-registry is missing: install it (Debian and Ubuntu: `apt-get install docker-registry`, elsewhere: \
              the program `registry` of the CNCF Distribution project, by this name on the PATH)",
};

/// The steps, quickest first, with the arguments of cargo.
const STEPS: [(&str, &[&str]); 4] = [
    ("format", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--features", TWIN, "--", "-D", "warnings"]),
    ("test", &["test", "--workspace"]),
    // The example is outside the workspace, as a user's plugin is.
    ("test of the example", &["test", "--locked", "--manifest-path", "examples/plugin-greet/Cargo.toml"]),
];

/// Sets up, then runs the steps until one fails.
pub(crate) fn run() -> Result<(), Failure> {
    ensure_target()?;
    NGINX.ensure()?;
    REGISTRY.ensure()?;
    languages::ensure()?;
    STEPS.iter().try_for_each(|(name, arguments)| step::run(name, &mut workspace_cargo(arguments)))?;
    // The counts are those of x86-64 instructions, and callgrind does not run on every system.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) { instructions::run() } else { Ok(()) }
}
