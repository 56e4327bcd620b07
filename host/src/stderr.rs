//! Lines on standard error. Whether they are read changes neither the course of a run nor its exit code: an error in
//! writing them is ignored (`eprintln!` panics instead), and a reader that has stopped reading is waited for only
//! briefly. The log goes through a thread of its own, so no worker ever waits for a reader.

use std::fmt::Arguments;
use std::io::Write;

/// Bytes that a pipe takes at once whenever it reports that it can be written to (`PIPE_BUF` of Linux).
const PIECE: usize = 4096;

/// Writes a line.
pub(crate) fn print_line(line: Arguments<'_>) {
    print(&format!("{line}\n"));
}

/// Writes a text as it is. What a reader does not take within a second is left out.
pub(crate) fn print(text: &str) {
    let mut stderr = std::io::stderr().lock();
    for piece in text.as_bytes().chunks(PIECE) {
        if !is_writable() || stderr.write_all(piece).is_err() {
            return;
        }
    }
}

/// Waits until standard error can be written to, for a second at most.
#[cfg(unix)]
fn is_writable() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stderr = std::io::stderr();
    let mut wait = [PollFd::new(&stderr, PollFlags::OUT)];
    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
    // Where it cannot be asked, writing is tried.
    poll(&mut wait, Some(&second)).map_or(true, |ready| ready > 0)
}

#[cfg(not(unix))]
const fn is_writable() -> bool {
    true
}
