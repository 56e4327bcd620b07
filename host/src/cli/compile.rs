//! `compile-component`: the command by which the program starts itself to compile an untrusted component in a child
//! process. It is hidden from the help.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `compile-component`.
#[derive(Clone, Debug, Args)]
pub struct CompileArgs {
    /// Most bytes of address space
    pub memory: u64,
    /// Most milliseconds of processor time
    pub time: u64,
    /// Functions that were compiled before
    pub functions: Option<PathBuf>,
}
