//! The command line. One definition per flag feeds the parser, the help, the completions and the man page. The result
//! is plain data in which a setting that was not given is `None`, because only the plan knows the script and the
//! defaults. A flag takes precedence over its `STAMPEDE_*` variable. Wrong usage ends with exit code 2, which is clap's
//! own too.

mod compile;
mod completion_script;
mod completions;
mod console;
mod control;
mod demo;
mod division;
mod fleet;
mod listen_address;
mod man;
mod native;
mod new;
mod opentelemetry;
mod page;
mod plugin;
mod plugins;
mod reports;
mod run;
mod run_source;
mod samples;
mod schema;
mod times;
mod value;

use clap::{CommandFactory, Parser, Subcommand};

use crate::exit::Exit;

pub use compile::CompileArgs;
pub use completion_script::completions;
pub use completions::CompletionsArgs;
pub use console::{ConsoleArgs, LogLevel};
pub use control::{ControlArgs, ControlCommand};
pub use demo::DemoArgs;
pub use division::DivisionArgs;
pub use fleet::{
    BusArgs, FleetArgs, FleetAskArgs, FleetCommand, FleetDivisionArgs, FleetLauncher, FleetLocalArgs,
    FleetManifestArgs, FleetNodeArgs, FleetRunArgs, FleetScaleArgs,
};
pub use listen_address::ListenAddress;
pub use man::man;
pub use native::NativeArgs;
pub use new::NewScriptArgs;
pub use opentelemetry::OpenTelemetryArgs;
pub use page::PageArgs;
pub use plugin::{InspectArgs, LockArgs, NewArgs, PluginArgs, PluginCommand, PluginKind, PluginLanguage, TestArgs};
pub use plugins::PluginsArgs;
pub use reports::{CompareArgs, MergeArgs};
pub use run::{RunArgs, StatsdFormat};
pub use samples::SamplesArgs;
pub use schema::SchemaArgs;
pub use times::{LatencyView, TimesArgs};
pub use value::{DataArg, HeaderArg};

/// The name of the program, as typed.
pub const NAME: &str = "stampede-shooter";

/// The command line after the program's name.
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    version,
    about = "Load-tests HTTP and streaming sites with scripts of sandboxed actions",
    long_about = "Load-tests HTTP and streaming sites: thousands of virtual users sign in, walk a script within their \
                  rate limit, and every request is measured. Each action of a script runs in a WebAssembly sandbox.\n\n\
                  Without a command a script, or a single URL, is run. Every flag can also be given by the environment variable shown \
                  beside it; a flag overrides its variable, and both override the script.",
    after_help = Exit::table(),
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    mut_args(hide_env_value),
    mut_subcommands(hide_env_values)
)]
pub struct Cli {
    /// The command; none means run.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of the run, if there is no command. With a command they hold values of the environment, and mean
    /// nothing.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Returns the definition of the command line. The help of each `--out` lists `formats`, which this module cannot know:
/// `.json or .csv`.
pub fn definition(formats: &str) -> clap::Command {
    let with_formats = |command: clap::Command| command.mut_args(|arg| list_formats(arg, formats));
    with_formats(Cli::command()).mut_subcommands(with_formats)
}

/// The sentence of `--out` that the formats complete.
const FORMAT_SENTENCE: &str = "The extension selects the format";

fn list_formats(arg: clap::Arg, formats: &str) -> clap::Arg {
    match arg.get_long_help().map(ToString::to_string) {
        Some(help) if arg.get_id() == "out" => {
            arg.long_help(help.replace(FORMAT_SENTENCE, &format!("{FORMAT_SENTENCE}: {formats}")))
        }
        _ => arg,
    }
}

/// A command other than a run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a script and show the plan, without sending anything
    #[command(long_about = "Reads the script, configures every plugin and prints the plan in sentences, with what it \
                            needs: users, connections, memory, open files. Nothing is sent. Takes the flags of a run.")]
    Check(Box<RunArgs>),
    /// Walk a script once with one user, and show every exchange
    #[command(
        long_about = "Walks the script once with one user, without waiting for a rate or a think time, and prints \
                            each exchange as it was: the heads and the first 4 KiB of the contents of request and \
                            reply, what was captured and checked, and how long each phase took. Secrets are shown as \
                            `***`. Takes the flags of a run except those about load. Exits with 9 if a request failed."
    )]
    Try(Box<RunArgs>),
    /// List the actions that scripts can use, with their parameters
    Plugins(PluginsArgs),
    /// Create, inspect, test and lock plugins
    Plugin(PluginArgs),
    /// Print a JSON Schema of scripts, for editors
    Schema(SchemaArgs),
    /// Write a first script
    #[command(
        long_about = "Writes a script to begin with, and beside it the JSON Schema that lets editors complete and \
                            check it. Neither overwrites another file."
    )]
    New(NewScriptArgs),
    /// Run the sample script against an embedded site
    #[command(
        long_about = "Starts an embedded streaming site and runs a script against it: the sample script, unless \
                            another is given. Takes the flags of a run."
    )]
    Demo(Box<DemoArgs>),
    /// Change a run while it goes on
    #[command(long_about = "Sends a request to a run that was started with `--control PATH`, and prints the state of \
                            the run after it, as a line of JSON.")]
    Control(ControlArgs),
    /// Run a script on many machines as one run
    #[command(
        long_about = "Runs a script on many machines as one run, which find each other over a NATS server: one schedule, \
                            one report, one verdict."
    )]
    Fleet(FleetArgs),
    /// Add up the reports of several machines
    #[command(long_about = "Adds up the reports of runs of the same script, as if their machines had been one, and \
                            prints the table. Counts and histograms are added; nothing is lost.")]
    Merge(MergeArgs),
    /// Compare two reports; exit 99 if the second is worse
    #[command(long_about = "Compares two reports of the same script action by action: requests per second, share of \
                            errors and percentiles of the response time, each with the interval that its change is in \
                            with 99 % confidence. Exits with 99 if one of these is worse by more than the tolerance.")]
    Compare(CompareArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the man page
    Man,
    /// Compile the component on standard input
    #[command(hide = true)]
    CompileComponent(CompileArgs),
}

/// Keeps the value of an argument's environment variable out of the help: it may be a secret.
fn hide_env_value(arg: clap::Arg) -> clap::Arg {
    arg.hide_env_values(true)
}

/// Does so for all arguments of a command and of the commands below it.
fn hide_env_values(command: clap::Command) -> clap::Command {
    command.mut_args(hide_env_value).mut_subcommands(hide_env_values)
}

#[cfg(test)]
mod tests;
