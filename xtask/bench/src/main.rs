//! The binary behind `cargo xtask bench`. The benchmark itself is in the library, which is empty except on Linux.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match stampede_bench::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("bench: the benchmarks run on Linux only: they read processor time and memory from `/proc`");
    ExitCode::FAILURE
}
