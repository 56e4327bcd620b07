//! The modes of the terminal during a run: it neither waits for whole lines nor echoes keys. Its other settings stay as
//! they are, so that Ctrl-C and Ctrl-Z work as usual and log lines begin at the left margin.
//!
//! The terminal is restored at the end of the run, while the run is stopped by Ctrl-Z, after a panic and after a crash
//! ([`terminal_crash`]). bash restores it by itself, but dash does not.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use rustix::process::{Signal, getpgrp, getpid, getsid, kill_process};
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::terminal::in_foreground;
use super::terminal_crash;

/// The modes of the terminal.
#[derive(Default)]
pub(super) struct TerminalModes(Mutex<ModesState>);

#[derive(Default)]
struct ModesState {
    /// The original modes; `None` while they are in force.
    original: Option<Termios>,
    /// `true` once the run is over.
    is_over: bool,
}

impl TerminalModes {
    /// Sets the modes of a run, unless they are set or the terminal belongs to another process.
    pub(super) fn apply(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_over || state.original.is_some() || !in_foreground() {
            return;
        }
        let Ok(present) = tcgetattr(stdin()) else { return };
        let mut modes = present.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        terminal_crash::set_original(&present);
        match tcsetattr(stdin(), OptionalActions::Now, &modes) {
            Ok(()) => state.original = Some(present),
            Err(_) => terminal_crash::clear_original(),
        }
    }

    /// Restores the original modes for good, if the terminal still belongs to this process.
    pub(super) fn close(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_over = true;
        state.restore();
    }

    /// Restores the modes before a panic is reported.
    pub(super) fn restore_at_a_panic(self: &Arc<Self>) {
        let (modes, report) = (Arc::clone(self), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |panic| {
            // The thread that panics may hold the lock itself.
            match modes.0.try_lock() {
                Ok(mut state) => state.restore(),
                Err(TryLockError::Poisoned(state)) => state.into_inner().restore(),
                Err(TryLockError::WouldBlock) => {}
            }
            report(panic);
        }));
    }

    /// Restores the modes before Ctrl-Z stops the process; [`Self::apply`] sets them again when it goes on. The signal
    /// is handled until the process ends.
    ///
    /// # Errors
    /// The operating system cannot install a handler, or start a thread.
    pub(super) fn restore_while_stopped(self: &Arc<Self>) -> io::Result<()> {
        let modes = Arc::clone(self);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut stops = runtime.block_on(async { signal(SignalKind::from_raw(Signal::TSTP.as_raw())) })?;
        let stopper = std::thread::Builder::new().name("stop".into());
        stopper.spawn(move || {
            while runtime.block_on(stops.recv()).is_some() {
                // The first process of a session has no shell that could continue it; by itself the signal would not
                // stop it either.
                if getsid(None).is_ok_and(|session| session == getpgrp()) {
                    continue;
                }
                // Locked until the process goes on, so that the modes are not set again before it stops.
                let mut state = modes.0.lock().unwrap_or_else(PoisonError::into_inner);
                state.restore();
                // This fails for no process, least of all for this one.
                let _ = kill_process(getpid(), Signal::STOP);
            }
        })?;
        Ok(())
    }
}

impl ModesState {
    fn restore(&mut self) {
        if let Some(original) = self.original.take()
            && in_foreground()
        {
            // This fails if the terminal is gone, and then there is nothing to restore.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &original);
        }
        terminal_crash::clear_original();
    }
}
