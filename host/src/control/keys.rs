//! Keys at the terminal of a run. Lines are not waited for and keys not echoed meanwhile; everything else about the
//! terminal stays as it is, so that Ctrl-C and Ctrl-Z do what they do and the log's lines begin at the left.
//!
//! | key | asks for |
//! |---|---|
//! | `+` `-` | a tenth of the plan's load more or less |
//! | `p`, space | a pause, and going on |
//! | `q` | the end, as when the time is over |
//!
//! A process in the background neither reads from a terminal nor changes it: the system would stop it for that.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio::sync::oneshot;

use crate::run::control::{Ask, Asks, Request};

/// How often the thread that waits for keys looks whether it is still wanted.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Standard input as a source of keys. The terminal is as it was before when this is dropped.
pub struct Keys {
    before: Termios,
    over: Arc<AtomicBool>,
}

impl Keys {
    /// From now on keys are asks; `None` if standard input is no terminal, or another's for now.
    pub fn listen(asks: Asks) -> Option<Self> {
        let before = tcgetattr(stdin()).ok().filter(|_| in_foreground())?;
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        now.special_codes[SpecialCodeIndex::VMIN] = 1;
        now.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &now).ok()?;
        let over = Arc::new(AtomicBool::new(false));
        let keys = Self { before, over: Arc::clone(&over) };
        std::thread::Builder::new().name("keys".into()).spawn(move || read(&asks, &over)).ok()?;
        Some(keys)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if in_foreground() {
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
        }
    }
}

fn in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}

/// What a key asks for.
const fn meaning(key: u8) -> Option<Request> {
    match key {
        // Without shift it is the same key on many keyboards.
        b'+' | b'=' => Some(Request::Shift(0.1)),
        b'-' | b'_' => Some(Request::Shift(-0.1)),
        b'p' | b'P' | b' ' => Some(Request::TogglePause),
        b'q' | b'Q' => Some(Request::Stop),
        _ => None,
    }
}

/// Reads keys until the terminal or the run is gone.
fn read(asks: &Asks, over: &AtomicBool) {
    let mut keys = [0; 64];
    while !over.load(Ordering::Relaxed) {
        match poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], Some(&LOOK)) {
            Ok(0) => continue,
            Err(error) if io::Error::from(error).kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        if !in_foreground() {
            // Keys are another's; who comes back to the foreground has them again.
            std::thread::sleep(std::time::Duration::from_millis(200));
            continue;
        }
        if over.load(Ordering::Relaxed) {
            return;
        }
        let length = match rustix::io::read(stdin(), &mut keys) {
            Ok(length @ 1..) => length,
            Err(rustix::io::Errno::INTR) => continue,
            Ok(0) | Err(_) => return,
        };
        for request in keys[..length].iter().filter_map(|key| meaning(*key)) {
            // What comes of it shows in the progress line.
            let (reply, _) = oneshot::channel();
            if asks.blocking_send(Ask { request, reply }).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_what_they_ask_for() {
        for (keys, request) in [
            ("+=", Some(Request::Shift(0.1))),
            ("-_", Some(Request::Shift(-0.1))),
            ("pP ", Some(Request::TogglePause)),
            ("qQ", Some(Request::Stop)),
            ("x1\n\u{1b}", None),
        ] {
            assert!(keys.bytes().all(|key| meaning(key) == request), "{keys}");
        }
    }
}
