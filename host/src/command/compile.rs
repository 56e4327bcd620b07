//! `compile-component`: compiles one component within caps and exits. The parent process reads its output.

use std::time::Duration;

use crate::cli::CompileArgs;
use crate::exit::Exit;
use crate::plugin::load::compile::{CompileCaps, compile_input};
use crate::stderr;

/// Compiles standard input to standard output.
pub(super) fn compile(args: &CompileArgs) -> Exit {
    let caps = CompileCaps { memory: args.memory, time: Duration::from_millis(args.time) };
    match compile_input(caps, args.functions.clone()) {
        Ok(()) => Exit::Success,
        Err(why) => {
            stderr::print_line(format_args!("{why}"));
            Exit::Internal
        }
    }
}
