//! `plugin`: work on plugins before a run.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::{ConsoleArgs, NativeArgs};

/// Arguments of `plugin`.
#[derive(Clone, Debug, Args)]
pub struct PluginArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub command: PluginCommand,
}

/// A subcommand of `plugin`.
#[derive(Clone, Debug, Subcommand)]
pub enum PluginCommand {
    /// Begin a plugin of your own: a folder that builds, with a test and a script
    #[command(
        long_about = "Writes a folder with a complete plugin of one action, its tests, a script that uses it, and a \
                            copy of the SDK as it is in this program. It builds at once; its README.md says with what."
    )]
    New(NewArgs),
    /// Show a component's digest, actions, and required capabilities
    Inspect(InspectArgs),
    /// Test a component in the real host, against a target that follows a script, in virtual time
    #[command(
        long_about = "Runs each case of a file: steps that one user walks with the component, what the target is \
                            asked for and answers, and the expected result. Nothing is sent over the network, waits \
                            are over at once, and a case always takes the same time. With `--conformance` each rule \
                            of the contract is tried instead: nonsense, a target that never answers or hangs up at \
                            any point, many users, 10,000 tasks. Exits with 7 if a case or a rule fails."
    )]
    Test(TestArgs),
    /// Record the components that a script uses in `stampede.lock` beside it
    #[command(long_about = "Gets every component that the script names, from files, web sites and registries, and \
                            writes its source and SHA-256 digest into `stampede.lock` beside the script. A run then \
                            uses these components even if a tag or a URL leads to others by then.")]
    Lock(LockArgs),
}

/// Arguments of `plugin new`.
#[derive(Clone, Debug, Args)]
pub struct NewArgs {
    /// The plugin's name, and that of its folder and its action
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The language to write it in; Rust if not given
    #[arg(long, value_name = "LANGUAGE", env = "STAMPEDE_LANG", help_heading = "Output")]
    pub lang: Option<PluginLanguage>,
    /// The kind of its action; `http` if not given
    #[arg(long, value_name = "KIND", env = "STAMPEDE_KIND", help_heading = "Output")]
    pub kind: Option<PluginKind>,
    /// The folder to put it in; the current one if not given
    #[arg(long, value_name = "DIR", env = "STAMPEDE_INTO", help_heading = "Output")]
    pub into: Option<PathBuf>,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// A language that `plugin new` has a template for.
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

/// A kind of action that `plugin new` has a template for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PluginKind {
    /// Sends a request and looks at the reply
    Http,
    /// Speaks a protocol of its own over a socket
    Socket,
    /// Reads a reply as it arrives
    Stream,
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
        help_heading = "Output",
        value_parser = BoolishValueParser::new()
    )]
    pub json: bool,
    /// The flag that allows native plugins.
    #[command(flatten)]
    pub native: NativeArgs,
    /// The flags about the terminal.
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
    #[arg(long, value_name = "FILE", default_value = "cases.yml", env = "STAMPEDE_CASES")]
    pub cases: PathBuf,
    /// Test against the contract instead; the cases that pass define valid steps
    #[arg(long, env = "STAMPEDE_CONFORMANCE", value_parser = BoolishValueParser::new())]
    pub conformance: bool,
    /// The flag that allows native plugins.
    #[command(flatten)]
    pub native: NativeArgs,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Arguments of `plugin lock`.
#[derive(Clone, Debug, Args)]
pub struct LockArgs {
    /// The script whose plugins are locked
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT")]
    pub script: Option<PathBuf>,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl PluginArgs {
    /// Returns the flags about the terminal.
    pub const fn console(&self) -> &ConsoleArgs {
        match &self.command {
            PluginCommand::New(args) => &args.console,
            PluginCommand::Inspect(args) => &args.console,
            PluginCommand::Test(args) => &args.console,
            PluginCommand::Lock(args) => &args.console,
        }
    }
}
