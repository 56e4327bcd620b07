//! What commands print: results on standard output, warnings on standard error.

use std::io::Write;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;

/// Prints a text whole. A reader that has seen enough, such as `head`, is no error.
pub fn print(text: &[u8]) -> Result<Exit, Diagnostics> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::new("internal::stdout", error.to_string()).into())
        }
        _ => Ok(Exit::Success),
    }
}

/// Says of native plugins what they are.
pub fn warn_about_native<'n>(names: impl IntoIterator<Item = &'n str>) {
    for name in names {
        eprintln!("warning: plugin `{name}` is native: it runs with all your rights, and no limit holds it");
    }
}
