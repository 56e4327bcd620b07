//! The binary: arguments in, exit code out. The rest of the program is in the library.

use std::process::ExitCode;
use std::thread;

use stampede_shooter::command;

// Measured with 4,000 connections: a quarter less CPU per request than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of stack of the program's first thread. The system's own may have too few: `ulimit -s 64` leaves less than the
/// parser of the command line takes.
const STACK: usize = 8 << 20;

// The list of crates that a package's binary contains, for scanners.
include!(concat!(env!("OUT_DIR"), "/crates.rs"));

fn main() -> ExitCode {
    keep_crates();
    let program = thread::Builder::new().name("main".into()).stack_size(STACK);
    match program.spawn(|| command::dispatch(&command::parse())) {
        // A panic has been reported by the thread.
        Ok(program) => program.join().map_or(ExitCode::from(101), ExitCode::from),
        Err(error) => {
            eprintln!("error: no thread can be started: {error}");
            ExitCode::FAILURE
        }
    }
}
