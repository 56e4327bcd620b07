//! What a guest may do, one file per interface of the contract. An implementation looks at the current session or at
//! the step being configured; it checks every number a guest gives before it is used, and traps where the contract
//! was broken. Expected failures are values of the contract, never traps.

mod files;
mod http;
pub use http::{few_enough, header_fields, header_value};
mod log;
mod operations;
mod report;
mod sockets;
mod streams;
mod templates;
mod timer;
mod user;

use wasmtime::component::{HasSelf, Linker};

use crate::http::Failure;

use super::bindings::{self, Plugin};
use super::operation::Ended;
use super::state::State;

/// Links every capability.
///
/// # Errors
/// Only if two interfaces clash, which is a bug.
pub fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// Takes what came of an operation of the current task, if it is of the right kind.
fn ended<T>(
    state: &mut State,
    operation: u32,
    pick: impl FnOnce(Ended) -> Option<Result<T, Failure>>,
) -> wasmtime::Result<Result<T, bindings::types::FailureKind>> {
    let guest = state.guest();
    let (session, once) = (guest.session()?, guest.family.terms.hands_over_once);
    let ended = if once { session.task.take(operation) } else { session.task.hand_over(operation) };
    let found = ended.and_then(pick).map(|result| result.map_err(|failure| kind_to_guest(failure.kind)));
    found.ok_or_else(|| wasmtime::format_err!("operation {operation} is none of that kind that has ended"))
}

impl bindings::types::Host for State {}

/// A failure kind as the samples know it. `cancelled` is the host's to give.
pub fn kind_from_guest(kind: bindings::types::FailureKind) -> crate::metrics::sample::FailureKind {
    use crate::metrics::sample::FailureKind as Ours;
    use bindings::types::FailureKind as Theirs;
    match kind {
        Theirs::Timeout => Ours::Timeout,
        Theirs::Status => Ours::Status,
        Theirs::Network => Ours::Network,
        Theirs::Check => Ours::Check,
        Theirs::Protocol => Ours::Protocol,
        Theirs::Plugin | Theirs::Cancelled => Ours::Plugin,
    }
}

/// A failure kind as guests know it.
pub fn kind_to_guest(kind: crate::metrics::sample::FailureKind) -> bindings::types::FailureKind {
    use crate::metrics::sample::FailureKind as Ours;
    use bindings::types::FailureKind as Theirs;
    match kind {
        Ours::Timeout => Theirs::Timeout,
        Ours::Status => Theirs::Status,
        Ours::Network => Theirs::Network,
        Ours::Check => Theirs::Check,
        Ours::Protocol => Theirs::Protocol,
        Ours::Plugin => Theirs::Plugin,
        Ours::Cancelled => Theirs::Cancelled,
    }
}
