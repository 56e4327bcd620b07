//! The flags about color and log, which every command that writes to a terminal has.

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

/// Flags about the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Console")]
pub struct ConsoleArgs {
    /// Do not color anything
    ///
    /// Colors are used on terminals only, and not if `NO_COLOR` is set.
    #[arg(long, env = "STAMPEDE_NO_COLOR", value_parser = BoolishValueParser::new())]
    pub no_color: bool,
    /// Log this much on standard error
    ///
    /// `warn` if not given.
    #[arg(long, value_name = "LEVEL", value_enum, env = "STAMPEDE_LOG")]
    pub log: Option<LogLevel>,
}

/// The amount of log; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// Nothing
    Off,
    /// Errors
    Error,
    /// Warnings
    Warn,
    /// Notable events
    Info,
    /// Events that help to write a plugin
    Debug,
    /// Everything
    Trace,
}

impl LogLevel {
    /// Returns the level's name in log filters.
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
