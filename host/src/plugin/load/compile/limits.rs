//! Caps on compiling one component, and the reasons why it was not compiled.

use std::time::Duration;

/// The size in bytes from which a component is large: it takes seconds to compile, and its functions are kept. Those of
/// smaller ones are compiled as quickly as they are looked up and saved.
pub(super) const LARGE_COMPONENT: usize = 4 << 20;

/// Caps on compiling one component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompileCaps {
    /// Bytes of address space.
    pub memory: u64,
    /// Processor time.
    pub time: Duration,
}

impl Default for CompileCaps {
    /// Returns ten times the use of a component that contains an interpreter.
    fn default() -> Self {
        Self { memory: 2 << 30, time: Duration::from_secs(60) }
    }
}

/// The reason why a component was not compiled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CompileFailure {
    /// The message, to continue after "plugin `x` does not load: ".
    pub message: String,
    /// The fix, if there is one.
    pub help: Option<String>,
}

impl From<String> for CompileFailure {
    fn from(message: String) -> Self {
        Self { message, help: None }
    }
}
