//! Caps on Unix: limits of the process, and the signals that end it at a limit.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rlimit::Resource;

use super::limits::CompileCaps;

/// The signal that ends a process at its limit of processor time.
const SIGXCPU: i32 = 24;

/// Limits this process until it ends.
///
/// # Errors
/// The operating system rejects a limit.
pub(super) fn set(caps: CompileCaps) -> io::Result<()> {
    let seconds = caps.time.as_secs() + u64::from(caps.time.subsec_nanos() > 0);
    // Hostile bytes may well crash the compiler; its memory must not be written to the disk.
    Resource::CORE.set(0, 0)?;
    lower(Resource::CPU, seconds, seconds + 1)?;
    let memory = lower(Resource::AS, caps.memory, caps.memory);
    // macOS counts its own shared libraries, and rejects a limit below their gigabytes: there memory has no cap.
    if cfg!(target_vendor = "apple") { Ok(()) } else { memory }
}

/// Sets a limit, unless there is a lower one already, which only root may raise.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (_, present) = resource.get()?;
    resource.set(soft.min(present), hard.min(present))
}

/// Returns `true` if a process ended at its limit of processor time.
pub(super) fn out_of_time(status: ExitStatus) -> bool {
    status.signal() == Some(SIGXCPU)
}

/// Describes the end of a process that did not exit on its own.
pub(super) fn crash(status: ExitStatus) -> Option<String> {
    status.signal().map(|signal| format!("signal {signal}"))
}
