//! Failures of a task. A failure is an ordinary `Err`, so that `?` ends a task; the SDK reports it to the host.

use crate::{Task, bindings};

/// The result of `run`: the step passed, or the failure.
pub type Outcome = Result<(), Failure>;

/// A category of failure. The report counts errors under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No reply arrived in time.
    Timeout,
    /// A reply arrived, with a status the step does not accept.
    Status,
    /// The name did not resolve, the connection was refused, reset or closed early, or TLS failed.
    Network,
    /// A reply arrived, with contents the step does not accept.
    Check,
    /// The bytes that arrived violate the protocol.
    Protocol,
    /// The plugin itself is at fault.
    Plugin,
    /// The run ended first. Only the host reports it: from a plugin it counts as [`FailureKind::Plugin`].
    Cancelled,
}

/// A failure of a task: a kind, which the report counts, and a detail, which it shows as an example of that kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    /// `None` if the host found the failure, since its own detail is better.
    detail: Option<String>,
}

impl Failure {
    /// Creates a failure of some kind. The detail names the expected and the actual value, without a final period; the
    /// host cuts it at 200 characters.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()) }
    }

    /// Creates a failure of kind [`FailureKind::Status`]: a reply arrived, with a status the step does not accept.
    pub fn status(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Status, detail)
    }

    /// Creates a failure of kind [`FailureKind::Check`]: a reply arrived, with contents the step does not accept.
    pub fn check(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Check, detail)
    }

    /// Creates a failure of kind [`FailureKind::Protocol`]: the bytes that arrived violate the protocol.
    pub fn protocol(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Protocol, detail)
    }

    /// Passes on a failure that the host found and has counted, such as a refused connection.
    pub(crate) fn of_host(kind: bindings::FailureKind) -> Self {
        Self { kind: kind.into(), detail: None }
    }

    /// Returns the category.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns the expected and the actual value, as text; empty for a failure that the host found.
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    /// Reports the failure now, so that it marks the exchange that was announced last, and returns one of that kind
    /// which is not reported again. For a task that goes on after an unacceptable reply: that exchange is an error
    /// whether the task then fails or passes, and none of the later ones is because of it.
    #[must_use = "the task has not failed before `run` answers so"]
    pub fn report(self, _task: &Task) -> Self {
        self.tell();
        Self { kind: self.kind, detail: None }
    }

    /// Reports the failure to the host, unless the host found it: its own detail of a refused connection is better, and
    /// the first report of a task is the one that counts.
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
