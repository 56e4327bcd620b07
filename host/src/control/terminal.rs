//! Standard input as a terminal. The functions make system calls and nothing else, so that a handler of signals may
//! call them.

use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{isatty, tcgetpgrp};

/// Returns `true` if standard input is a terminal.
pub(super) fn is_terminal() -> bool {
    isatty(stdin())
}

/// Returns `true` if the terminal belongs to this process.
pub(super) fn in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}
