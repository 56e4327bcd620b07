//! Stand-ins for systems without Unix domain sockets and Unix terminals, where a run cannot be changed.
#![cfg(not(unix))]

use std::convert::Infallible;
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::run::load_controller::ControlSender;

fn unavailable() -> Diagnostic {
    Diagnostic::new("usage::control", "control sockets are not available on this system")
}

/// A control socket, which this system does not have.
pub struct ControlSocket;

impl ControlSocket {
    /// Returns an error.
    ///
    /// # Errors
    /// Always.
    pub fn create(_path: &Path) -> Result<Self, Diagnostic> {
        Err(unavailable())
    }

    /// Waits forever.
    pub async fn serve(&self, _requests: ControlSender) -> Infallible {
        std::future::pending().await
    }
}

/// Keys at the terminal, which this system does not support.
pub struct TerminalKeys;

impl TerminalKeys {
    /// Returns `None`.
    pub fn listen(_requests: ControlSender) -> Option<Self> {
        None
    }
}

/// Does nothing: there is no terminal whose modes a run changes.
pub const fn restore_terminal_after_crashes() {}

/// Returns an error.
///
/// # Errors
/// Always.
pub fn send_line(_path: &Path, _line: &str) -> Result<String, Diagnostic> {
    Err(unavailable())
}
