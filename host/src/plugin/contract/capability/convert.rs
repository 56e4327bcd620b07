//! What capabilities have in common: taking the result of an operation, and failure kinds in the words of either side.

use crate::net::Failure;
use crate::plugin::contract::bindings;
use crate::plugin::contract::state::State;
use crate::user::Ended;

/// Takes what came of an operation of the current task, if it is of the right kind.
pub fn ended<T>(
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
