//! One measured exchange, as plain numbers. The hot path creates a sample for every request, so it is `Copy`, holds no
//! text and allocates nothing; names and messages are in the plan and in the recorder's examples.

use std::num::NonZeroU64;

use stampede_time::Nanos;

/// Index of a row of the report: first the login if there is one, then the steps in the order of the script.
pub type RowId = u16;

/// The kind of a failure. The report counts errors under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FailureKind {
    /// No reply arrived in time.
    Timeout,
    /// The reply has a status that the step does not accept.
    Status,
    /// Name resolution, connecting or TLS failed, or the connection broke.
    Network,
    /// The reply has contents that the step does not accept.
    Check,
    /// The reply violates the protocol.
    Protocol,
    /// Replies redirected further than the step allows.
    Redirects,
    /// The plugin is at fault.
    Plugin,
    /// The graceful stop was over first.
    Unfinished,
    /// A person ended the run first, or the plugin abandoned the exchange.
    Cancelled,
}

impl FailureKind {
    /// All kinds, in the order of their discriminants.
    pub const ALL: [Self; 9] = [
        Self::Timeout,
        Self::Status,
        Self::Network,
        Self::Check,
        Self::Protocol,
        Self::Redirects,
        Self::Plugin,
        Self::Unfinished,
        Self::Cancelled,
    ];

    /// Returns the name in reports and in WIT.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Network => "network",
            Self::Check => "check",
            Self::Protocol => "protocol",
            Self::Redirects => "redirects",
            Self::Plugin => "plugin",
            Self::Unfinished => "unfinished",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns `true` if the exchange was cut off, so that its time is known only to be longer.
    pub const fn is_cut_off(self) -> bool {
        matches!(self, Self::Unfinished | Self::Cancelled)
    }
}

/// Durations of the phases of an exchange, in nanoseconds. A phase that did not happen is `None`: a request on an open
/// connection has no `connect`, and a request that was refused has no `first_byte`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseDurations {
    /// Resolution of the host name.
    pub dns: Option<Nanos>,
    /// TCP connect.
    pub connect: Option<Nanos>,
    /// TLS handshake.
    pub tls: Option<Nanos>,
    /// Time from handing the request's first byte to the connection to the end of the reply's header section.
    pub first_byte: Option<Nanos>,
    /// Time from the end of the header section to the last byte of the body.
    pub receive: Option<Nanos>,
}

/// The number of a span of a trace: 8 bytes that are not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub NonZeroU64);

impl SpanId {
    /// Returns the bytes, in the order in which they are sent.
    pub const fn bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }
}

/// One exchange, or one task that made no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The row in which the sample counts.
    pub row: RowId,
    /// The time at which the exchange should have started. If the run promises a rate, this is the promised time. Under
    /// a cap (`rps` per user) nothing is promised, and this is the start itself: latencies exclude the wait for a slot.
    pub intended: Nanos,
    /// The time at which the exchange started. Never before `intended`.
    pub start: Nanos,
    /// The time at which the last byte arrived, the exchange failed or it was cut off.
    pub end: Nanos,
    /// The status code; 0 if there was none.
    pub status: u16,
    /// Bytes of the request as sent on the connection, above TLS.
    pub bytes_out: u64,
    /// Bytes of the reply as received on the connection, above TLS.
    pub bytes_in: u64,
    /// Bytes of the reply's content, before decoding.
    pub body_bytes_in: u64,
    /// Durations of the exchange's phases.
    pub phases: PhaseDurations,
    /// The kind of failure; `None` if the exchange did not fail.
    pub failure: Option<FailureKind>,
    /// The number of its span, if it may be exported as one.
    pub span: Option<SpanId>,
}

impl Sample {
    /// Returns end − intended start: the time that a user of the site would have waited.
    pub const fn response_time(&self) -> Nanos {
        self.end.saturating_sub(self.intended)
    }

    /// Returns end − start: the time that the site took.
    pub const fn service_time(&self) -> Nanos {
        self.end.saturating_sub(self.start)
    }
}
