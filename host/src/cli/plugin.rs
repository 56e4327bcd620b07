//! `plugin`: what is done with plugins before a run.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::{ConsoleArgs, NativeArgs};

/// Arguments of `plugin`.
#[derive(Clone, Debug, Args)]
pub struct PluginArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PluginCommand,
}

/// What to do with plugins.
#[derive(Clone, Debug, Subcommand)]
pub enum PluginCommand {
    /// Begin a plugin of your own: a folder that builds, with a test and a script
    #[command(
        long_about = "Writes a folder with a complete plugin of one action, its tests, a script that uses it, and a \
                            copy of the SDK as it is in this program. It builds at once; its README.md says with what."
    )]
    New(NewArgs),
    /// Show what a component is: its digest, its actions, what it asks of the host
    Inspect(InspectArgs),
    /// Test a component in the real host, against a target that follows a script, in virtual time
    #[command(
        long_about = "Runs each case of a file: steps that one user walks with the component, what the target is \
                            asked for and answers, and what is to come of it. Nothing is sent over the network, waits \
                            are over at once, and the same case always takes the same time. With `--conformance` each rule of the \
                            contract is tried instead: nonsense, a target that never answers or hangs up at any point, \
                            many users, 10,000 tasks. Exits with 7 if a case or a rule fails."
    )]
    Test(TestArgs),
    /// Write down which components a script uses, into `stampede.lock` beside it
    #[command(long_about = "Gets every component that the script names, from files, web sites and registries, and \
                            writes its source and SHA-256 digest into `stampede.lock` beside the script. A run then \
                            uses these components whatever a tag or a URL leads to by now.")]
    Lock(LockArgs),
}

/// Arguments of `plugin new`.
#[derive(Clone, Debug, Args)]
pub struct NewArgs {
    /// The plugin's name, and that of its folder and its action
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The language to write it in; Rust if not given
    #[arg(long, value_name = "LANGUAGE", env = "STAMPEDE_LANG", hide_env_values = true, help_heading = "Output")]
    pub lang: Option<PluginLanguage>,
    /// Where to put the folder; the current one if not given
    #[arg(long, value_name = "DIR", env = "STAMPEDE_INTO", hide_env_values = true, help_heading = "Output")]
    pub into: Option<PathBuf>,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// A language that plugins can be begun in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PluginLanguage {
    /// Rust, on the SDK of this program
    Rust,
    /// Python, through componentize-py
    Python,
    /// JavaScript, through componentize-js
    Javascript,
    /// C, through clang and a component linker
    C,
}

/// Arguments of `plugin inspect`.
#[derive(Clone, Debug, Args)]
pub struct InspectArgs {
    /// The component
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print JSON, with the schemas of the actions' parameters
    #[arg(
        long,
        env = "STAMPEDE_JSON",
        hide_env_values = true,
        help_heading = "Output",
        value_parser = BoolishValueParser::new()
    )]
    pub json: bool,
    /// Whether native plugins may be loaded.
    #[command(flatten)]
    pub native: NativeArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Arguments of `plugin test`.
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    /// The component
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The cases
    #[arg(long, value_name = "FILE", default_value = "cases.yml", env = "STAMPEDE_CASES", hide_env_values = true)]
    pub cases: PathBuf,
    /// Hold the component against the contract instead: the cases that pass say what is lawful
    #[arg(long, env = "STAMPEDE_CONFORMANCE", hide_env_values = true, value_parser = BoolishValueParser::new())]
    pub conformance: bool,
    /// Whether native plugins may be loaded.
    #[command(flatten)]
    pub native: NativeArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Arguments of `plugin lock`.
#[derive(Clone, Debug, Args)]
pub struct LockArgs {
    /// The script whose plugins are locked
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT", hide_env_values = true)]
    pub script: Option<PathBuf>,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl PluginArgs {
    /// What is shown, and how.
    pub const fn console(&self) -> &ConsoleArgs {
        match &self.command {
            PluginCommand::New(args) => &args.console,
            PluginCommand::Inspect(args) => &args.console,
            PluginCommand::Test(args) => &args.console,
            PluginCommand::Lock(args) => &args.console,
        }
    }
}
