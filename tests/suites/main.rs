//! The real binary against real targets. Each suite is a file; the name of each test is the statement that it checks.

mod as_typed;
mod authors;
mod bad_input;
mod book;
mod cli;
#[cfg(unix)]
mod completions;
mod control;
mod counts;
mod determinism;
mod ending;
mod exchanges;
mod exports;
mod failures;
mod fault_matrix;
mod feeders;
#[cfg(unix)]
mod fleet;
mod flow;
mod generator;
mod guests;
mod honesty;
mod hostile;
#[cfg(unix)]
mod httpbin;
mod input_files;
mod inspect;
mod languages;
mod link;
mod load;
mod load_models;
mod login;
mod main_job;
#[cfg(unix)]
mod native;
mod one_line;
mod outcomes;
#[cfg(unix)]
mod page;
mod plugin_new;
mod plugin_outside;
mod process;
mod prometheus;
mod protocols;
mod rate;
mod reference;
mod rehearsal;
mod reports;
mod samples;
mod schema;
mod script_golden;
mod secrets;
mod segments;
mod sent_requests;
mod session;
mod sources;
mod step_metrics;
#[cfg(unix)]
mod terminal;
mod traces;
mod transfers;
mod unfinished;
mod verdict;
mod wire;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use stampede_tests::Run;

/// The real binary.
const BINARY: &str = env!("CARGO_BIN_EXE_stampede-shooter");

/// Folder for the files that suites keep between runs because they are expensive to make.
const TARGET_TMP: &str = env!("CARGO_TARGET_TMPDIR");

/// Returns a call of the real binary.
fn shooter() -> Run {
    Run::new(BINARY, TARGET_TMP)
}

/// Returns a call of the real binary in a shell that has set limits before, such as `ulimit -n 256`.
#[cfg(unix)]
fn shooter_after(commands: &str) -> Run {
    Run::new("/bin/sh", TARGET_TMP).arg("-c").arg(format!("{commands} && exec \"$0\" \"$@\"")).arg(BINARY)
}

/// Returns the folder into which `cargo xtask tools` installs.
fn tools() -> PathBuf {
    Path::new(TARGET_TMP).join("../tools")
}

/// Returns the folder `tests/` of the repository.
fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

/// Returns the digest by which a component is named.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares with a golden file, or writes it if `BLESS=1` is set.
#[track_caller]
fn assert_golden(file: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, text).expect("golden files can be written");
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(text, golden, "{} (renew with BLESS=1)", file.display());
}
