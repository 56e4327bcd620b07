//! The script of a rehearsal's target: the parts that are still to come, and the differences from it that were found.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cases::TargetPart;

/// A script that all connections to the target follow; the first to ask gets the next part.
#[derive(Debug)]
pub(super) struct TargetScript {
    state: Mutex<ScriptState>,
    /// The protocols that the target speaks over TLS, the preferred one first.
    alpn: Vec<String>,
}

#[derive(Debug)]
struct ScriptState {
    parts: VecDeque<TargetPart>,
    faults: Vec<String>,
}

/// The kinds of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextPart {
    /// The client sends something, or begins TLS.
    FromClient,
    /// The target sends first.
    FromTarget,
    /// The target closes the connection.
    Close,
    /// Nothing more is to come.
    End,
}

/// The beginning of TLS, as the script has it.
pub(super) enum TlsPart {
    /// It is the next part.
    Expected {
        /// `false` if the handshake fails.
        succeeds: bool,
        /// The time that the handshake takes.
        after: Duration,
    },
    /// The connection is about to be closed.
    Closing,
    /// Another part is next, which is a fault.
    Unexpected,
}

impl TargetScript {
    /// Creates a script of which nothing has been asked for yet.
    pub(super) fn new(parts: Vec<TargetPart>, alpn: &[String]) -> Self {
        Self { state: Mutex::new(ScriptState { parts: parts.into(), faults: Vec::new() }), alpn: alpn.to_vec() }
    }

    fn state(&self) -> MutexGuard<'_, ScriptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the differences from the script, parts that were not asked for included.
    pub(super) fn finish(&self) -> Vec<String> {
        let mut state = self.state();
        let mut faults = std::mem::take(&mut state.faults);
        match state.parts.len() {
            0 => {}
            1 => faults.push("the target was not asked for its last part".into()),
            left => faults.push(format!("the target was not asked for its last {left} parts")),
        }
        faults
    }

    /// Takes the next part.
    pub(super) fn take(&self) -> Option<TargetPart> {
        self.state().parts.pop_front()
    }

    /// Returns the kind of the next part, which is not taken.
    pub(super) fn peek(&self) -> NextPart {
        match self.state().parts.front() {
            Some(TargetPart::Bytes { receives, .. }) if receives.is_empty() => NextPart::FromTarget,
            Some(TargetPart::Close) => NextPart::Close,
            Some(TargetPart::Bytes { .. } | TargetPart::Http(..) | TargetPart::Secure { .. }) => NextPart::FromClient,
            None => NextPart::End,
        }
    }

    /// Takes the next part if it is the beginning of TLS; any other but the end of the connection is a fault.
    pub(super) fn take_tls(&self) -> TlsPart {
        let mut state = self.state();
        let expected = match state.parts.front() {
            Some(&TargetPart::Secure { succeeds, after }) => {
                state.parts.pop_front();
                return TlsPart::Expected { succeeds, after };
            }
            Some(TargetPart::Close) => return TlsPart::Closing,
            Some(TargetPart::Bytes { receives, .. }) => receives.describe(),
            Some(TargetPart::Http(..)) => "an HTTP request".to_owned(),
            None => "nothing more".to_owned(),
        };
        state.faults.push(format!("the target expected {expected}, and TLS was begun"));
        TlsPart::Unexpected
    }

    /// Notes a difference from the script.
    pub(super) fn add_fault(&self, fault: String) {
        self.state().faults.push(fault);
    }

    /// Returns the protocol that the target picks from those offered (ALPN): the first of its own that is among them.
    pub(super) fn pick(&self, offered: &[Vec<u8>]) -> Option<&str> {
        let is_offered = |own: &&String| offered.iter().any(|name| name == own.as_bytes());
        self.alpn.iter().find(is_offered).map(String::as_str)
    }
}
