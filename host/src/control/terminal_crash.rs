//! The terminal after a crash: a process that a fault or an abort ends drops nothing, so a handler of those signals
//! restores the modes. It is told nothing but the signal, hence the global state, and does only what is safe in a
//! handler (POSIX, `signal-safety(7)`): it reads atomics and makes system calls.
//!
//! wasmtime turns faults in a guest's code into traps, and passes on what is not one. So the handlers must be installed
//! before its engine is created. The standard library's, which reports a stack that has overflowed, is called next.

use std::mem;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use libc::{c_int, c_void, siginfo_t};
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, Termios, tcsetattr};

use super::terminal::{in_foreground, is_terminal};

/// A handler of a signal.
type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// The signals with which the system ends a faulty process, and with which one aborts itself.
const SIGNALS: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT];

/// The modes to restore; null while they are in force. They are never freed, since a handler may be reading them.
static ORIGINAL: AtomicPtr<Termios> = AtomicPtr::new(ptr::null_mut());

/// The handler that each signal had before; 0 if none.
static EARLIER: [AtomicUsize; SIGNALS.len()] = [const { AtomicUsize::new(0) }; SIGNALS.len()];

/// Handles crashes from now on if standard input is a terminal. Must be called before wasmtime's engine is created.
pub(crate) fn restore_terminal_after_crashes() {
    if !is_terminal() {
        return;
    }
    for (signal, earlier) in SIGNALS.into_iter().zip(&EARLIER) {
        // SAFETY: `sigaction` is plain data, for which zeros are valid: no handler, no flag, an empty set.
        let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { (mem::zeroed(), mem::zeroed()) };
        let handler: Handler = handle_crash;
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: both are valid for the call, and the handler does only what is safe in one.
        let installed = unsafe { libc::sigaction(signal, &raw const action, &raw mut before) } == 0;
        let takes_information = before.sa_flags & libc::SA_SIGINFO != 0;
        if installed && takes_information && before.sa_sigaction != action.sa_sigaction {
            earlier.store(before.sa_sigaction, Release);
        }
    }
}

/// Sets the modes that a crash restores.
pub(super) fn set_original(modes: &Termios) {
    // The modes change when the run begins and each time it goes on after Ctrl-Z.
    ORIGINAL.store(Box::into_raw(Box::new(modes.clone())), Release);
}

/// Has a crash restore nothing, since the original modes are in force.
pub(super) fn clear_original() {
    ORIGINAL.store(ptr::null_mut(), Release);
}

/// Restores the terminal, then has the signal do what it did before.
extern "C" fn handle_crash(signal: c_int, information: *mut siginfo_t, context: *mut c_void) {
    restore();
    let index = SIGNALS.iter().position(|known| *known == signal);
    let earlier = index.map_or(0, |index| EARLIER[index].load(Acquire));
    if earlier != 0 {
        // SAFETY: the system gave this address as that of a handler which takes these arguments.
        let earlier = unsafe { mem::transmute::<*const c_void, Handler>(earlier as *const c_void) };
        earlier(signal, information, context);
    }
    // SAFETY: zeros are a valid `sigaction`, with the default action, which is to end the process. The system gave
    // `information` with the signal.
    unsafe {
        let default: libc::sigaction = mem::zeroed();
        libc::sigaction(signal, &raw const default, ptr::null_mut());
        // A fault happens again when the handler returns. A signal that a process has sent does not.
        if (*information).si_code <= 0 {
            libc::raise(signal);
        }
    }
}

/// Restores the modes, if the terminal still belongs to this process.
fn restore() {
    let original = ORIGINAL.swap(ptr::null_mut(), AcqRel);
    // SAFETY: it is null or comes from a box that is never freed.
    if let Some(original) = unsafe { original.as_ref() }
        && in_foreground()
    {
        // This fails if the terminal is gone, and then there is nothing to restore.
        let _ = tcsetattr(stdin(), OptionalActions::Now, original);
    }
}
