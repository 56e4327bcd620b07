//! The commands, one a file. Each takes its arguments as plain data and returns an exit code, or all errors that it
//! found.

mod check;
mod compare;
mod compile;
mod control;
mod definition;
mod demo;
mod fleet;
mod merge;
mod new;
mod output;
mod plugin;
mod plugins;
mod run;
mod schema;
mod source;
mod trial;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::cli::{self, Cli, Command, ConsoleArgs, LogLevel};
use crate::diagnostic::Diagnostic;
use crate::exit::Exit;
use crate::stderr;
pub use definition::definition;
use output::{is_colored, print, print_errors};

/// Parses the arguments of the process. On wrong usage, and for `--help` and `--version`, it prints and exits.
pub fn parse() -> Cli {
    let mut matches = definition().try_get_matches().unwrap_or_else(|error| exit_with(&error));
    if let Err(error) = source::check_named_once(&matches) {
        exit_with(&error);
    }
    Cli::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut definition()).exit())
}

/// Prints an error in the arguments and exits. Where one more argument follows something that is neither a command nor
/// a script, the first one is the error.
fn exit_with(error: &clap::Error) -> ! {
    let first = std::env::args().nth(1).filter(|first| !first.starts_with('-'));
    let is_one_too_many = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict);
    let mistaken = first.filter(|first| is_one_too_many && source::is_nothing(first));
    let Some(mistaken) = mistaken else { error.exit() };
    let diagnostics = source::no_such_source(&mistaken).into();
    print_errors(&diagnostics, is_colored(&ConsoleArgs::default()));
    std::process::exit(diagnostics.exit().code().into())
}

/// Runs the command, prints its errors on standard error, and returns the exit code.
pub fn dispatch(cli: &Cli) -> Exit {
    let console = console(cli);
    let color = is_colored(&console);
    let log = Log::start(console.log.unwrap_or(LogLevel::Warn), color);
    let result = match &cli.command {
        None => run::run(&cli.run),
        Some(Command::Check(args)) => check::check(args),
        Some(Command::Try(args)) => trial::try_once(args),
        Some(Command::New(args)) => new::new(args),
        Some(Command::CompileComponent(args)) => Ok(compile::compile(args)),
        Some(Command::Plugins(args)) => plugins::plugins(args),
        Some(Command::Plugin(args)) => plugin::plugin(args),
        Some(Command::Schema(args)) => schema::schema(args),
        Some(Command::Demo(args)) => demo::demo(args),
        Some(Command::Control(args)) => control::control(args),
        Some(Command::Fleet(args)) => fleet::fleet(args),
        Some(Command::Merge(args)) => merge::merge(args),
        Some(Command::Compare(args)) => compare::compare(args),
        Some(Command::Completions(args)) => {
            let mut text = Vec::new();
            cli::completions(args.shell, definition(), &mut text);
            print(&text)
        }
        Some(Command::Man) => {
            let mut text = Vec::new();
            // Writing to memory cannot fail.
            let _ = cli::man(definition(), &mut text);
            print(&text)
        }
    };
    log.finish();
    result.unwrap_or_else(|mut diagnostics| {
        diagnostics.0.iter_mut().for_each(add_memory_help);
        print_errors(&diagnostics, color);
        diagnostics.exit()
    })
}

/// Adds to an error that the system had no memory to give what may have limited it, if that is known.
#[cfg(unix)]
fn add_memory_help(diagnostic: &mut Diagnostic) {
    let no_memory = format!("os error {}", rustix::io::Errno::NOMEM.raw_os_error());
    let limit = rlimit::Resource::AS.get_soft().ok().filter(|limit| *limit < rlimit::INFINITY);
    if let (true, None, Some(limit)) = (diagnostic.message.contains(&no_memory), &diagnostic.help, limit) {
        let mebibytes = limit >> 20;
        let help = format!("the address space is limited to {mebibytes} MiB; raise that: `ulimit -v unlimited`");
        diagnostic.help = Some(help);
    }
}

#[cfg(not(unix))]
const fn add_memory_help(_: &mut Diagnostic) {}

fn console(cli: &Cli) -> ConsoleArgs {
    match &cli.command {
        Some(Command::Check(args) | Command::Try(args)) => args.console.clone(),
        Some(Command::Demo(args)) => args.run.console.clone(),
        Some(Command::Plugins(args)) => args.console.clone(),
        Some(Command::Schema(args)) => args.console.clone(),
        Some(Command::New(args)) => args.console.clone(),
        Some(Command::Plugin(args)) => args.console().clone(),
        Some(Command::Control(args)) => args.console.clone(),
        Some(Command::Fleet(args)) => args.command.console().clone(),
        Some(Command::Merge(args)) => args.console.clone(),
        Some(Command::Compare(args)) => args.console.clone(),
        None | Some(Command::CompileComponent(_) | Command::Completions(_) | Command::Man) => cli.run.console.clone(),
    }
}

/// The log on standard error, which a thread of its own writes.
struct Log {
    /// Writes what is left when it is dropped, unless the reader does not take it.
    guard: WorkerGuard,
    lost: ErrorCounter,
}

impl Log {
    /// The most lines that wait to be written. More are lost, and counted.
    const WAITING_LINES: usize = 10_000;

    fn start(level: LogLevel, color: bool) -> Self {
        let filter = EnvFilter::new(format!("off,stampede_shooter={}", level.name()));
        let (writer, guard) =
            NonBlockingBuilder::default().buffered_lines_limit(Self::WAITING_LINES).finish(std::io::stderr());
        let lost = writer.error_counter();
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(writer)
            .with_ansi(color)
            .with_target(false)
            .log_internal_errors(false)
            .init();
        Self { guard, lost }
    }

    /// Writes what is left, and says how much was lost.
    fn finish(self) {
        drop(self.guard);
        match self.lost.dropped_lines() {
            0 => {}
            lines => {
                stderr::print_line(format_args!("warning: {lines} lines of the log were lost: they were not read"))
            }
        }
    }
}
