//! The flag by which the user vouches for native plugins; all commands that load plugins take it.

use clap::Args;
use clap::builder::BoolishValueParser;

/// Whether native plugins may be loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct NativeArgs {
    /// Also load plugins that are native libraries, which no sandbox holds
    ///
    /// They run with all your rights: no limit holds them, and a crash of one ends the run. A warning names them.
    #[arg(
        long,
        env = "STAMPEDE_ALLOW_NATIVE",
        hide_env_values = true,
        help_heading = "Script",
        value_parser = BoolishValueParser::new()
    )]
    pub allow_native: bool,
}
