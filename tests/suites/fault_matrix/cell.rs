//! A cell: a fault of the peer, and how requests to it must end.

use stampede_tests::Act;

/// A length that a client reads no further than it must.
const LONG: usize = 100_000;

/// The end of a cell's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All succeed.
    Passes,
    /// All fail in this category.
    Fails(&'static str),
    /// All fail in this category, before a request could be sent.
    Unreached(&'static str),
    /// All take longer than the step's timeout.
    TimesOut,
}

/// A fault of the peer.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The fault, and the step's name.
    pub(super) name: &'static str,
    pub(super) acts: Vec<Act>,
    pub(super) outcome: Outcome,
    /// The category of those that fail otherwise than the rest, where it depends on the moment.
    pub(super) also: Option<&'static str>,
    /// More keys of the step.
    pub(super) keys: &'static str,
    /// The status that every request has, if each has one.
    pub(super) status: Option<u16>,
    /// True when the peer sends bytes that no reply needs, so that its count may be the higher one.
    pub(super) excess: bool,
    /// True when it depends on the moment whether the request was sent before the fault.
    pub(super) at_once: bool,
    /// True when it takes seconds.
    pub(super) slow: bool,
}

impl Cell {
    fn new(name: &'static str, acts: impl Into<Vec<Act>>, outcome: Outcome) -> Self {
        let (acts, keys, status) = (acts.into(), "", None);
        Self { name, acts, outcome, also: None, keys, status, excess: false, at_once: false, slow: false }
    }

    pub(super) fn passes(name: &'static str, acts: impl Into<Vec<Act>>) -> Self {
        Self::new(name, acts, Outcome::Passes)
    }

    pub(super) fn fails(category: &'static str, name: &'static str, acts: impl Into<Vec<Act>>) -> Self {
        Self::new(name, acts, Outcome::Fails(category))
    }

    pub(super) fn unreached(name: &'static str, acts: impl Into<Vec<Act>>) -> Self {
        Self::new(name, acts, Outcome::Unreached("network"))
    }

    pub(super) fn times_out(name: &'static str, acts: impl Into<Vec<Act>>) -> Self {
        Self::new(name, acts, Outcome::TimesOut)
    }

    /// Allows another category: the system reports a reset once, to the client's reading or to its writing of an
    /// acknowledgement, and in the second case reading sees an end.
    pub(super) fn or(mut self, category: &'static str) -> Self {
        self.also = Some(category);
        self
    }

    pub(super) fn with(mut self, keys: &'static str) -> Self {
        self.keys = keys;
        self
    }

    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub(super) fn excess(mut self) -> Self {
        self.excess = true;
        self
    }

    pub(super) fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    pub(super) fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    /// Returns the exit codes of a run of this cell alone.
    pub(super) fn exit_codes(&self) -> &'static [i32] {
        match self.outcome {
            Outcome::Passes => &[0],
            Outcome::Unreached(_) => &[5],
            _ if self.at_once => &[5, 9],
            _ => &[9],
        }
    }

    /// Returns `true` if the peer reads each request before it does anything else.
    pub(super) fn reads(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Act::Request | Act::Stream | Act::Line))
    }

    /// Returns `true` if bytes on their way to the peer may be lost: it resets connections, or sends so much that the
    /// client ends the connection with bytes unread, which resets it too.
    pub(super) fn loses_bytes(&self) -> bool {
        self.acts.iter().any(|act| match act {
            Act::Reset | Act::Endless(_) => true,
            Act::Send(bytes) => bytes.len() > LONG,
            _ => false,
        })
    }
}
