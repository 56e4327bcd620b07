//! What compiling one component may use, and why it was not compiled.

use std::time::Duration;

/// What compiling one component may use.
#[derive(Clone, Copy, Debug)]
pub struct CompileCaps {
    /// Bytes of address space.
    pub memory: u64,
    /// Processor time.
    pub time: Duration,
}

impl Default for CompileCaps {
    /// Ten times what a component with a whole interpreter in it takes.
    fn default() -> Self {
        Self { memory: 2 << 30, time: Duration::from_secs(60) }
    }
}

/// Why a component was not compiled.
#[derive(Debug, PartialEq, Eq)]
pub struct CompileFailure {
    /// What is wrong, to go on after "plugin `x` does not load: ".
    pub message: String,
    /// The fix, if there is one.
    pub help: Option<String>,
}

impl From<String> for CompileFailure {
    fn from(message: String) -> Self {
        Self { message, help: None }
    }
}
