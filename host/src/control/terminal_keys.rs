//! Keys at the terminal of a run.
//!
//! | key | request |
//! |---|---|
//! | `+` `-` | raise or lower the load by a tenth of the plan's load |
//! | `p`, space | pause, or resume |
//! | `q` | end the run, as when its time is over |
//!
//! A run in the background neither reads from the terminal nor changes it: the system would stop the process for that.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;
use tokio::sync::oneshot;

use super::terminal::{in_foreground, is_terminal};
use super::terminal_modes::TerminalModes;
use crate::run::load_controller::{ControlCall, ControlRequest, ControlSender};

/// The interval at which the thread that waits for keys checks if the run is over, or has come to the foreground.
const POLL_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Standard input as a source of keys. Dropping it restores the terminal.
pub(crate) struct TerminalKeys {
    modes: Arc<TerminalModes>,
    stopped: Arc<AtomicBool>,
}

impl TerminalKeys {
    /// Starts to send a request for each key. Returns `None` if standard input is not a terminal.
    pub(crate) fn listen(requests: ControlSender) -> Option<Self> {
        if !is_terminal() {
            return None;
        }
        let keys = Self { modes: Arc::new(TerminalModes::default()), stopped: Arc::default() };
        keys.modes.restore_at_a_panic();
        keys.modes.restore_while_stopped().ok()?;
        keys.modes.apply();
        let (modes, stopped) = (Arc::clone(&keys.modes), Arc::clone(&keys.stopped));
        let reader = std::thread::Builder::new().name("keys".into());
        reader.spawn(move || read_keys(&requests, &modes, &stopped)).ok()?;
        Some(keys)
    }
}

impl Drop for TerminalKeys {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.modes.close();
    }
}

/// Returns the request that a key stands for.
const fn request_for_key(key: u8) -> Option<ControlRequest> {
    match key {
        // On many keyboards, the `+` key gives `=` without shift.
        b'+' | b'=' => Some(ControlRequest::Shift(0.1)),
        b'-' | b'_' => Some(ControlRequest::Shift(-0.1)),
        b'p' | b'P' | b' ' => Some(ControlRequest::TogglePause),
        b'q' | b'Q' => Some(ControlRequest::Stop),
        _ => None,
    }
}

/// Reads keys and sends their requests until the terminal is gone or the run is over.
fn read_keys(requests: &ControlSender, modes: &TerminalModes, stopped: &AtomicBool) {
    let mut keys = [0; 64];
    while !stopped.load(Ordering::Relaxed) {
        // The run may have been moved to the foreground, or been continued there.
        modes.apply();
        match poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], Some(&POLL_INTERVAL)) {
            Ok(0) => continue,
            Err(error) if io::Error::from(error).kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        if !in_foreground() {
            // The keys belong to another process until this one is in the foreground again.
            std::thread::sleep(std::time::Duration::from_millis(200));
            continue;
        }
        if stopped.load(Ordering::Relaxed) {
            return;
        }
        let length = match rustix::io::read(stdin(), &mut keys) {
            Ok(length @ 1..) => length,
            Err(rustix::io::Errno::INTR) => continue,
            Ok(0) | Err(_) => return,
        };
        for request in keys[..length].iter().filter_map(|key| request_for_key(*key)) {
            // The progress line shows the effect, so the reply is not read.
            let (reply, _) = oneshot::channel();
            if requests.blocking_send(ControlCall { request, reply }).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_request() {
        for (keys, request) in [
            ("+=", Some(ControlRequest::Shift(0.1))),
            ("-_", Some(ControlRequest::Shift(-0.1))),
            ("pP ", Some(ControlRequest::TogglePause)),
            ("qQ", Some(ControlRequest::Stop)),
            ("x1\n\u{1b}", None),
        ] {
            assert!(keys.bytes().all(|key| request_for_key(key) == request), "{keys}");
        }
    }
}
