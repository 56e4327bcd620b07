//! Caps on systems without limits per process: the parent's wall clock is the only cap.

use std::io;
use std::process::ExitStatus;

use super::limits::CompileCaps;

/// Sets nothing.
pub fn set(_: CompileCaps) -> io::Result<()> {
    Ok(())
}

/// Returns `false`: the reason is never known here.
pub fn out_of_time(_: ExitStatus) -> bool {
    false
}

/// Describes the end of a process that did not exit on its own.
pub fn crash(status: ExitStatus) -> Option<String> {
    status.code().filter(|code| !(0..256).contains(code)).map(|code| format!("code {code:#x}"))
}
