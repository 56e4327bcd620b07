//! One measured exchange, as plain numbers. A sample is made on the hot path for every request, so it is `Copy`, holds
//! no text and allocates nothing; names and messages are in the plan and in the recorder's examples.

use stampede_time::Nanos;

/// Index of a row of the report: the login first if there is one, then the steps in the script's order.
pub type RowId = u16;

/// The kind of a failure. The report counts errors under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FailureKind {
    /// No reply came in time.
    Timeout,
    /// A status the step does not accept.
    Status,
    /// Resolution, connection or TLS failed, or the connection broke.
    Network,
    /// Contents the step does not accept.
    Check,
    /// The reply breaks the rules of the protocol.
    Protocol,
    /// The plugin is at fault.
    Plugin,
    /// The run ended first.
    Cancelled,
}

impl FailureKind {
    /// All kinds, in the order of their discriminants.
    pub const ALL: [Self; 7] =
        [Self::Timeout, Self::Status, Self::Network, Self::Check, Self::Protocol, Self::Plugin, Self::Cancelled];

    /// Returns the name in reports and in WIT.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Network => "network",
            Self::Check => "check",
            Self::Protocol => "protocol",
            Self::Plugin => "plugin",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Durations of the phases of an exchange, in nanoseconds. A phase that did not happen is `None`: a request on an open
/// connection has no `connect`, one that was refused has no `first_byte`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseDurations {
    /// Resolving the host's name.
    pub dns: Option<Nanos>,
    /// TCP connect.
    pub connect: Option<Nanos>,
    /// TLS handshake.
    pub tls: Option<Nanos>,
    /// From the request's first byte handed to the connection to the end of the reply's header section.
    pub first_byte: Option<Nanos>,
    /// From then to the last byte of the body.
    pub receive: Option<Nanos>,
}

/// One exchange, or one task that made none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The row that it counts in.
    pub row: RowId,
    /// The time at which it should have started. Where the run promised a rate, that is the promised time; under a cap
    /// (`rps` per user) nothing is promised, and it is the start itself: waiting for a turn is in no latency.
    pub intended: Nanos,
    /// The time at which it started. Never before `intended`.
    pub start: Nanos,
    /// The time at which the last byte arrived, or it failed.
    pub end: Nanos,
    /// The status code, 0 if there was none.
    pub status: u16,
    /// Bytes of the request as sent on the connection, above TLS.
    pub bytes_out: u64,
    /// Bytes of the reply as received on the connection, above TLS.
    pub bytes_in: u64,
    /// Bytes of the reply's content, before decoding.
    pub body_bytes_in: u64,
    /// Durations of its phases.
    pub phases: PhaseDurations,
    /// The kind of failure; `None` without one.
    pub failure: Option<FailureKind>,
}

impl Sample {
    /// Returns end − intended start: how long a user of the site would have waited.
    pub const fn response_time(&self) -> Nanos {
        self.end.saturating_sub(self.intended)
    }

    /// Returns end − start: the time that the site took.
    pub const fn service_time(&self) -> Nanos {
        self.end.saturating_sub(self.start)
    }
}
