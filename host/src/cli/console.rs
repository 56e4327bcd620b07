//! What is shown while working, and how. The flags that every command which talks to people has in common.

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

/// Flags about the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Console")]
pub struct ConsoleArgs {
    /// Do not color anything
    ///
    /// Colors are used on terminals only, and not if `NO_COLOR` is set.
    #[arg(long, env = "STAMPEDE_NO_COLOR", hide_env_values = true, value_parser = BoolishValueParser::new())]
    pub no_color: bool,
    /// Log this much on standard error
    ///
    /// `warn` if not given.
    #[arg(long, value_name = "LEVEL", value_enum, env = "STAMPEDE_LOG", hide_env_values = true)]
    pub log: Option<LogLevel>,
}

/// How much to log; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// Nothing
    Off,
    /// What is broken
    Error,
    /// What is odd
    Warn,
    /// What is worth knowing
    Info,
    /// What is worth knowing while writing a plugin
    Debug,
    /// Everything
    Trace,
}

impl LogLevel {
    /// The level's name in log filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
