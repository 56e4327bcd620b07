//! The flag with which the user allows native plugins; all commands that load plugins take it.

use clap::Args;
use clap::builder::BoolishValueParser;

/// The flag that allows native plugins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct NativeArgs {
    /// Also load plugins that are native libraries, outside the sandbox
    ///
    /// They run with all your rights: no limit applies to them, and a crash of one ends the run. A warning names them.
    #[arg(
        long,
        env = "STAMPEDE_ALLOW_NATIVE",
        help_heading = "Script",
        value_parser = BoolishValueParser::new()
    )]
    pub allow_native: bool,
}
