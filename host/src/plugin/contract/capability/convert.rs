//! Functions shared by the capabilities: taking the result of an operation, and converting failure kinds.

use crate::net::Failure;
use crate::plugin::contract::state::StoreData;
use crate::plugin::contract::{bindings, v0_1_1};
use crate::user::Completion;

/// Takes the result of an operation of the current task, if it is of the right kind.
///
/// # Errors
/// No such operation has completed, or its result was taken before; the guest traps.
pub(super) fn take_completion<T>(
    state: &mut StoreData,
    operation: u32,
    pick: impl FnOnce(Completion) -> Option<Result<T, Failure>>,
) -> wasmtime::Result<Result<T, bindings::types::FailureKind>> {
    let guest = state.guest();
    let task = &guest.session()?.task;
    let completion = match guest.speaks_v0_1_1 {
        true => v0_1_1::take_repeatable(task, operation),
        false => task.operations.take(operation),
    };
    let result = completion.and_then(pick).map(|result| result.map_err(|failure| kind_to_guest(failure.kind)));
    result.ok_or_else(|| wasmtime::format_err!("operation {operation} is not a completed one of that kind"))
}

/// Converts a guest's failure kind to that of samples. Only the host may give `cancelled`.
pub(super) fn kind_from_guest(kind: bindings::types::FailureKind) -> crate::metrics::sample::FailureKind {
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

/// Converts a failure kind of samples to that of guests.
pub(super) fn kind_to_guest(kind: crate::metrics::sample::FailureKind) -> bindings::types::FailureKind {
    use crate::metrics::sample::FailureKind as Ours;
    use bindings::types::FailureKind as Theirs;
    match kind {
        Ours::Timeout => Theirs::Timeout,
        Ours::Status => Theirs::Status,
        Ours::Network => Theirs::Network,
        Ours::Check => Theirs::Check,
        Ours::Protocol | Ours::Redirects => Theirs::Protocol,
        Ours::Plugin => Theirs::Plugin,
        Ours::Unfinished | Ours::Cancelled => Theirs::Cancelled,
    }
}
