//! Systems without limits of a process: the parent's wall clock is the only cap.

use std::io;
use std::process::ExitStatus;

use super::limits::CompileCaps;

/// There is nothing to set.
pub fn set(_: CompileCaps) -> io::Result<()> {
    Ok(())
}

/// Never known here.
pub fn out_of_time(_: ExitStatus) -> bool {
    false
}

/// How a process ended that did not exit by itself.
pub fn crash(status: ExitStatus) -> Option<String> {
    status.code().filter(|code| !(0..256).contains(code)).map(|code| format!("code {code:#x}"))
}
