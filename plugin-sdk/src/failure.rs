//! Why a task failed. A failure is an ordinary `Err`, so that `?` ends a task; the SDK reports it to the host.

use crate::{Task, bindings};

/// What `run` answers: done as the step wants it, or why not.
pub type Outcome = Result<(), Failure>;

/// What kind of failure it was. The report counts errors under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing came back in time.
    Timeout,
    /// A reply arrived, with a status the step does not accept.
    Status,
    /// The name did not resolve, the connection was refused, reset or closed early, or TLS failed.
    Network,
    /// A reply arrived, with contents the step does not accept.
    Check,
    /// What arrived breaks the rules of the protocol.
    Protocol,
    /// The plugin itself is at fault.
    Plugin,
    /// The run ended first. Only the host can say so: reported by a plugin it counts as [`FailureKind::Plugin`].
    Cancelled,
}

/// Why a task failed: a kind, which is counted, and a detail, which is shown as an example of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    /// `None` if it came from the host, which knows more about it than we could say.
    detail: Option<String>,
}

impl Failure {
    /// A failure of some kind. The detail names what was expected and what came, without a full stop; the host cuts it
    /// at 200 characters.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()) }
    }

    /// A reply arrived, with a status the step does not accept.
    pub fn status(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Status, detail)
    }

    /// A reply arrived, with contents the step does not accept.
    pub fn check(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Check, detail)
    }

    /// What arrived breaks the rules of the protocol.
    pub fn protocol(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Protocol, detail)
    }

    /// What the host found, such as a connection that was refused. It has counted it already.
    pub(crate) fn of_host(kind: bindings::FailureKind) -> Self {
        Self { kind: kind.into(), detail: None }
    }

    /// What kind it is.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What was expected and what came; empty for a failure that the host found.
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    /// Tells the host now, against the exchange that was announced last, and gives what is left of it: a failure of the
    /// same kind that is not told a second time. For a task that goes on after a reply that was not right; whether it
    /// then fails or passes, that exchange is an error, and none of those that follow it.
    #[must_use = "the task has not failed before `run` answers so"]
    pub fn report(self, _task: &Task) -> Self {
        self.tell();
        Self { kind: self.kind, detail: None }
    }

    /// Tells the host, unless it was the host that told us: its own words about a refused connection are better than
    /// ours, and the first report of a task is the one that counts.
    pub(crate) fn tell(&self) {
        if let Some(detail) = &self.detail {
            bindings::report::fail(self.kind.into(), detail);
        }
    }
}

impl From<bindings::FailureKind> for FailureKind {
    fn from(kind: bindings::FailureKind) -> Self {
        match kind {
            bindings::FailureKind::Timeout => Self::Timeout,
            bindings::FailureKind::Status => Self::Status,
            bindings::FailureKind::Network => Self::Network,
            bindings::FailureKind::Check => Self::Check,
            bindings::FailureKind::Protocol => Self::Protocol,
            bindings::FailureKind::Plugin => Self::Plugin,
            bindings::FailureKind::Cancelled => Self::Cancelled,
        }
    }
}

impl From<FailureKind> for bindings::FailureKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Timeout => Self::Timeout,
            FailureKind::Status => Self::Status,
            FailureKind::Network => Self::Network,
            FailureKind::Check => Self::Check,
            FailureKind::Protocol => Self::Protocol,
            FailureKind::Plugin => Self::Plugin,
            FailureKind::Cancelled => Self::Cancelled,
        }
    }
}
