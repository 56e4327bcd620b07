//! The output of commands: results on standard output, warnings on standard error.

use std::io::Write;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;

/// Prints a whole text. A reader that closes the pipe early, such as `head`, is not an error.
pub fn print(text: &[u8]) -> Result<Exit, Diagnostics> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::new("internal::stdout", error.to_string()).into())
        }
        _ => Ok(Exit::Success),
    }
}

/// Warns of native plugins.
pub fn warn_about_native<'n>(names: impl IntoIterator<Item = &'n str>) {
    for name in names {
        eprintln!("warning: plugin `{name}` is native: it runs with all your rights, and no limit applies to it");
    }
}
