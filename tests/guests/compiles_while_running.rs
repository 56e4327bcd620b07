//! Compiles a template in the middle of the run, which would grow the host with every request.

use stampede_guests::{Misbehaviour, Progress, guest, templates};

/// The guest.
pub struct CompilesWhileRunning;

impl Misbehaviour for CompilesWhileRunning {
    fn start(_: u32, _: u32) -> Progress {
        match templates::compile("{{uuid}}") {
            Ok(_) => Progress::Passed,
            Err(_) => Progress::Failed,
        }
    }
}

guest!(CompilesWhileRunning);
