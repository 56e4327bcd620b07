//! `cargo xtask demo`: the first run, with everything built on the way. The build leaves most optimization out: it
//! takes a third of the time of a release build, and is fast enough for 50 users.

use std::process::Command;

use xtask::step::{self, Failure};
use xtask::workspace::{build_demo, ensure_target, root};

/// The arguments of the run; `report.json` lands in the workspace's folder.
const ARGUMENTS: [&str; 8] = ["demo", "--users", "50", "--duration", "10s", "--verbose", "--out", "report.json"];

/// Builds, then runs the sample script against the embedded site.
pub(crate) fn run() -> Result<(), Failure> {
    ensure_target()?;
    let binary = build_demo()?;
    step::run("demo", Command::new(binary).args(ARGUMENTS).current_dir(root()))
}
