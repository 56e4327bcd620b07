//! `cargo xtask test`: everything that must hold before a change is merged, and all that continuous integration runs.

use xtask::languages;
use xtask::program::{NGINX, Program};
use xtask::step::{self, Failure};
use xtask::workspace::{ensure_target, workspace_cargo};

use crate::instructions;

/// The OCI registry that the tests push components to and pull them from.
const REGISTRY: Program = Program {
    name: "docker-registry",
    package: "docker-registry",
    missing: "docker-registry is missing: install it (Debian and Ubuntu: `apt-get install docker-registry`, elsewhere: \
              the program `registry` of the CNCF Distribution project, by this name on the PATH)",
};

/// Prometheus, which reads the metrics of runs in the tests, and its tool that finds fault with metrics.
const PROMETHEUS: Program = Program {
    name: "prometheus",
    package: "prometheus",
    missing: "prometheus is missing: install it (Debian and Ubuntu: `apt-get install prometheus`, macOS: \
              `brew install prometheus`)",
};

/// InfluxDB, which takes what runs write in its line protocol, in the tests.
const INFLUXDB: Program = Program {
    name: "influxd",
    package: "influxdb",
    missing: "influxd is missing: install it (Debian and Ubuntu: `apt-get install influxdb`, elsewhere: InfluxDB 1)",
};

/// NATS, over which the machines of a fleet talk in the tests. Debian's has faults that matter on a network; the tests
/// have it listen on the loopback address.
const NATS: Program = Program {
    name: "nats-server",
    package: "nats-server",
    missing: "nats-server is missing: install it (Debian and Ubuntu: `apt-get install nats-server`, macOS: \
              `brew install nats-server`)",
};

/// The shells whose completions are tried, beside bash.
const SHELLS: [Program; 2] = [shell("fish", MISSING_FISH), shell("zsh", MISSING_ZSH)];
const MISSING_FISH: &str = "fish is missing: install it (Debian and Ubuntu: `apt-get install fish`)";
const MISSING_ZSH: &str = "zsh is missing: install it (Debian and Ubuntu: `apt-get install zsh`)";

const fn shell(name: &'static str, missing: &'static str) -> Program {
    Program { name, package: name, missing }
}

/// A step: its name, and the arguments of cargo with blanks between them.
type Step = (&'static str, &'static str);

const FORMAT: Step = ("format", "fmt --all --check");

/// Lints everything, also the code that only a benchmark compiles.
const CLIPPY: Step =
    ("clippy", "clippy --workspace --all-targets --features stampede-shooter/native-twin -- -D warnings");

/// All steps, quickest first. The guests have no tests of their own, and the suites use them as components, so they are
/// not built natively. The example is outside the workspace, as a user's plugin is.
const ALL: [Step; 5] = [
    FORMAT,
    CLIPPY,
    ("documentation of the code", "doc --workspace --exclude stampede-guests --no-deps --document-private-items"),
    ("test", "test --workspace --exclude stampede-guests"),
    ("test of the example", "test --locked --manifest-path examples/plugin-greet/Cargo.toml"),
];

/// The steps for the time between two changes: unit tests, and the suites that take seconds.
const QUICK: [Step; 4] = [
    FORMAT,
    CLIPPY,
    ("unit tests", "test --workspace --exclude stampede-guests --lib --bins --test tidy"),
    (
        "fast suites",
        "test --workspace --exclude stampede-guests --test suites -- \
         bad_input:: cli:: determinism:: inspect:: rehearsal:: reports:: schema:: secrets:: verdict::",
    ),
];

/// The variable that has the suites run every cell of the fault matrix, each in a run of its own, and its value.
const ALL_FAULTS: (&str, &str) = ("STAMPEDE_FAULTS", "all");

/// Sets up, then runs the steps until one fails.
pub(crate) fn run() -> Result<(), Failure> {
    run_with(&[])
}

/// Runs all steps as [`run`] does, with the cells of the fault matrix that take seconds.
pub(crate) fn run_faults() -> Result<(), Failure> {
    run_with(&[ALL_FAULTS])
}

fn run_with(variables: &[(&str, &str)]) -> Result<(), Failure> {
    set_up()?;
    steps(&ALL, variables)?;
    // The counts are those of x86-64 instructions, and callgrind does not run on every system.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) { instructions::run() } else { Ok(()) }
}

fn set_up() -> Result<(), Failure> {
    ensure_target()?;
    NGINX.ensure()?;
    REGISTRY.ensure()?;
    NATS.ensure_alone()?;
    PROMETHEUS.ensure_alone()?;
    INFLUXDB.ensure_alone()?;
    SHELLS.iter().try_for_each(|shell| shell.ensure().map(drop))?;
    languages::ensure()
}

/// Runs the quick steps until one fails. They need no other program.
pub(crate) fn run_quick() -> Result<(), Failure> {
    ensure_target()?;
    steps(&QUICK, &[])
}

fn steps(steps: &[Step], variables: &[(&str, &str)]) -> Result<(), Failure> {
    let cargo = |arguments: &str| workspace_cargo(&arguments.split(' ').collect::<Vec<_>>());
    steps.iter().try_for_each(|(name, arguments)| step::run(name, cargo(arguments).envs(variables.iter().copied())))
}
