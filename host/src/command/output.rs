//! The output of commands: results on standard output, warnings on standard error.

use std::io::{IsTerminal, Write};

use crate::cli::ConsoleArgs;
use crate::diagnostic::{self, Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::stderr;

/// Prints a whole text. A reader that closes the pipe early, such as `head`, is not an error.
pub(super) fn print(text: &[u8]) -> Result<Exit, Diagnostics> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::new("internal::stdout", error.to_string()).into())
        }
        _ => Ok(Exit::Success),
    }
}

/// Prints the meaning and the number of an exit code on standard error, unless the command succeeded. Returns the code.
pub(super) fn announce(exit: Exit) -> Exit {
    if exit != Exit::Success {
        stderr::print_line(format_args!("error: {} (exit code {})", exit.meaning(), exit.code()));
    }
    exit
}

/// Returns `true` if standard error is shown in color.
pub(super) fn is_colored(console: &ConsoleArgs) -> bool {
    !console.no_color && std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal()
}

/// Prints errors on standard error.
pub(super) fn print_errors(diagnostics: &Diagnostics, is_colored: bool) {
    stderr::print(&diagnostic::render(diagnostics, is_colored));
}

/// Warns of native plugins.
pub(super) fn warn_about_native<'n>(names: impl IntoIterator<Item = &'n str>) {
    for name in names {
        stderr::print_line(format_args!(
            "warning: plugin `{name}` is native: it runs with all your rights, and no limit applies to it"
        ));
    }
}
