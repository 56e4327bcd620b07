//! What capabilities have in common: taking the result of an operation, and failure kinds in the words of either side.

use crate::net::Failure;
use crate::plugin::contract::bindings;
use crate::plugin::contract::state::StoreData;
use crate::user::Completion;

/// Takes what came of an operation of the current task, if it is of the right kind.
pub fn take_completion<T>(
    state: &mut StoreData,
    operation: u32,
    pick: impl FnOnce(Completion) -> Option<Result<T, Failure>>,
) -> wasmtime::Result<Result<T, bindings::types::FailureKind>> {
    let guest = state.guest();
    let (session, takes_once) = (guest.session()?, guest.worker_plugin.policy.takes_once);
    let completion = if takes_once { session.task.take(operation) } else { session.task.take_repeatable(operation) };
    let result = completion.and_then(pick).map(|result| result.map_err(|failure| kind_to_guest(failure.kind)));
    result.ok_or_else(|| wasmtime::format_err!("operation {operation} is none of that kind that has ended"))
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
