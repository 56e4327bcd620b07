//! `compile-component`: what this program calls itself with to compile a stranger's component apart. Not for people.

use clap::Args;

/// Arguments of `compile-component`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompileArgs {
    /// Most bytes of address space
    pub memory: u64,
    /// Most milliseconds of processor time
    pub time: u64,
}
