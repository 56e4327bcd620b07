//! Caps as Unix has them: limits of the process, and the signals by which it ends when it meets one.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rlimit::Resource;

use super::limits::CompileCaps;

/// The signal that ends a process whose processor time is up.
const SIGXCPU: i32 = 24;

/// Limits this process for good.
pub fn set(caps: CompileCaps) -> io::Result<()> {
    let seconds = caps.time.as_secs() + u64::from(caps.time.subsec_nanos() > 0);
    // A crash is expected of hostile bytes; nobody wants its memory on the disk.
    Resource::CORE.set(0, 0)?;
    lower(Resource::CPU, seconds, seconds + 1)?;
    lower(Resource::AS, caps.memory, caps.memory)
}

/// Sets a limit, unless there is a lower one already, which only root may raise.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (_, present) = resource.get()?;
    resource.set(soft.min(present), hard.min(present))
}

/// Whether a process ended because its processor time was up.
pub fn out_of_time(status: ExitStatus) -> bool {
    status.signal() == Some(SIGXCPU)
}

/// How a process ended that did not exit by itself.
pub fn crash(status: ExitStatus) -> Option<String> {
    status.signal().map(|signal| format!("signal {signal}"))
}
