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

/// A step: its name, and the arguments of cargo.
type Step = (&'static str, &'static [&'static str]);

const FORMAT: Step = ("format", &["fmt", "--all", "--check"]);

/// Lints everything, also the benchmarks and the code that only they compile.
const CLIPPY: Step =
    ("clippy", &["clippy", "--workspace", "--all-targets", "--features", TWIN, "--", "-D", "warnings"]);

/// The guests are without tests of their own, and the suites use them as components, so they are not built natively.
const TEST: Step = ("test", &["test", "--workspace", "--exclude", "stampede-guests"]);

/// The example is outside the workspace, as a user's plugin is.
const EXAMPLE: Step =
    ("test of the example", &["test", "--locked", "--manifest-path", "examples/plugin-greet/Cargo.toml"]);

/// All steps, quickest first.
const ALL: [Step; 4] = [FORMAT, CLIPPY, TEST, EXAMPLE];

/// The steps for the time between two changes: the unit tests, and the suites that take seconds.
const QUICK: [Step; 4] = [
    FORMAT,
    CLIPPY,
    ("unit tests", &["test", "--workspace", "--exclude", "stampede-guests", "--lib", "--bins", "--test", "tidy"]),
    (
        "fast suites",
        &[
            "test",
            "--workspace",
            "--exclude",
            "stampede-guests",
            "--test",
            "suites",
            "--",
            "bad_input::",
            "cli::",
            "determinism::",
            "inspect::",
            "rehearsal::",
            "reports::",
            "schema::",
            "secrets::",
            "verdict::",
        ],
    ),
];

/// Sets up, then runs the steps until one fails.
pub(crate) fn run() -> Result<(), Failure> {
    ensure_target()?;
    NGINX.ensure()?;
    REGISTRY.ensure()?;
    languages::ensure()?;
    steps(&ALL)?;
    // The counts are those of x86-64 instructions, and callgrind does not run on every system.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) { instructions::run() } else { Ok(()) }
}

/// Runs the quick steps until one fails. They need no other program.
pub(crate) fn run_quick() -> Result<(), Failure> {
    ensure_target()?;
    steps(&QUICK)
}

fn steps(steps: &[Step]) -> Result<(), Failure> {
    steps.iter().try_for_each(|(name, arguments)| step::run(name, &mut workspace_cargo(arguments)))
}
