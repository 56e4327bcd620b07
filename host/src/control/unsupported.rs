//! Where there are no Unix domain sockets and no terminals of that kind: a run goes on as it was planned.
#![cfg(not(unix))]

use std::convert::Infallible;
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::run::load_controller::ControlSender;

fn unavailable() -> Diagnostic {
    Diagnostic::new("usage::control", "control sockets are not available on this system")
}

/// A socket that is not there.
pub struct ControlSocket;

impl ControlSocket {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn create(_path: &Path) -> Result<Self, Diagnostic> {
        Err(unavailable())
    }

    /// Serves nobody.
    pub async fn serve(&self, _requests: ControlSender) -> Infallible {
        std::future::pending().await
    }
}

/// Keys that nobody presses.
pub struct TerminalKeys;

impl TerminalKeys {
    /// None.
    pub fn listen(_requests: ControlSender) -> Option<Self> {
        None
    }
}

/// Refuses.
///
/// # Errors
/// Always.
pub fn send_line(_path: &Path, _line: &str) -> Result<String, Diagnostic> {
    Err(unavailable())
}
