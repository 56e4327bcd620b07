//! The binary: arguments in, exit code out. The rest of the program is in the library.

use std::process::ExitCode;

use stampede_shooter::command;

// Measured with 4,000 connections: a quarter less CPU per request than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    command::dispatch(&command::parse()).into()
}
