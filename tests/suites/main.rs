//! The real binary against real targets. Each suite is a file; each test says in its name what holds.

mod guests;
mod main_job;

use stampede_tests::Run;

/// A call of the real binary.
fn shooter() -> Run {
    Run::new(env!("CARGO_BIN_EXE_stampede-shooter"), env!("CARGO_TARGET_TMPDIR"))
}
