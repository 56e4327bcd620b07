//! The host's metered HTTP client, on the current user's connections.

use std::rc::Rc;

use super::convert;
use crate::http::{Decoding, Request};
use crate::metrics::sample::RowId;
use crate::plugin::contract::bindings::http::{DynamicRequest, Host, ReplySummary, RequestTemplate};
use crate::plugin::contract::bindings::types::FailureKind;
use crate::plugin::contract::state::{GuestState, StoreData};
use crate::plugin::contract::{prepare, request};
use crate::plugin::instance::limits;
use crate::user::exchange::{self, RedirectPolicy};
use crate::user::{CompletedExchange, Completion, OperationKind, Reservation, Session};

impl Host for StoreData {
    fn prepare(&mut self, request: RequestTemplate) -> wasmtime::Result<Result<u32, String>> {
        let guest = self.guest();
        guest.configuring()?;
        if guest.requests.len() >= limits::REQUESTS {
            return Ok(Err(format!("a plugin may prepare {} requests", limits::REQUESTS)));
        }
        Ok(prepare::request(request, guest)?.map(|prepared| {
            guest.requests.push(prepared);
            guest.requests.len() as u32 - 1
        }))
    }

    fn send(&mut self, request: u32) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let prepared = guest.request(request)?;
        let mut built = prepared.build(session, &guest.worker_plugin);
        if let Ok(built) = &mut built {
            leave_encoded(built, guest.decodes_itself && prepared.keeps_encoded());
        }
        let redirects = RedirectPolicy::new(prepared.max_redirects(), &guest.worker_plugin.grants);
        Ok(submit(session, Submission { built, redirects, reservation: None, row: None }))
    }

    fn send_dynamic(&mut self, request: DynamicRequest) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let is_encoded = guest.decodes_itself && request::keeps_encoded(&request.options);
        submit_dynamic(guest, request, None, |built| leave_encoded(built, is_encoded))
    }

    fn reply(&mut self, operation: u32) -> wasmtime::Result<Result<ReplySummary, FailureKind>> {
        with_exchange(self, operation, |exchange| match &exchange.result {
            Ok(reply) => {
                let measured = &exchange.measured;
                let duration = measured.end.unwrap_or(measured.start).saturating_sub(measured.start);
                Ok(ReplySummary { status: reply.status.as_u16(), body_bytes: measured.body_bytes_in, duration })
            }
            Err(failure) => Err(convert::kind_to_guest(failure.kind)),
        })
    }

    fn header(&mut self, operation: u32, name: String) -> wasmtime::Result<Option<String>> {
        with_exchange(self, operation, |exchange| {
            let value = exchange.result.as_ref().ok()?.headers.get(&name)?;
            Some(String::from_utf8_lossy(value).into_owned())
        })
    }

    fn url(&mut self, operation: u32) -> wasmtime::Result<String> {
        with_exchange(self, operation, |exchange| exchange.url().unwrap_or_default())
    }

    fn body(&mut self, operation: u32) -> wasmtime::Result<Vec<u8>> {
        let limit = self.guest().session()?.shared.client.max_body_kept;
        with_exchange(self, operation, |exchange| {
            exchange.result.as_ref().map(|reply| reply.content(limit).to_vec()).unwrap_or_default()
        })
    }
}

/// Has the content of the reply kept as it was transferred, if `is_encoded` is set.
fn leave_encoded(request: &mut Request, is_encoded: bool) {
    request.decoding = if is_encoded { Decoding::Never } else { Decoding::AtOnce };
}

/// Submits a request decided at run time. Its samples count in `row`, or in the row of the step. `adjust` may change
/// how its reply is treated.
pub(super) fn submit_dynamic(
    guest: &GuestState,
    request: DynamicRequest,
    row: Option<RowId>,
    adjust: impl FnOnce(&mut Request),
) -> wasmtime::Result<u32> {
    let session = guest.session()?;
    guest.check_operation_count(session)?;
    let redirects = request.options.max_redirects.min(request::MAX_REDIRECTS);
    let redirects = RedirectPolicy::new(redirects, &guest.worker_plugin.grants);
    let reservation = Reservation::new(&session.task.allowance, request.body.len());
    let mut built = match reservation {
        Some(_) => request::build_dynamic(request, session, &guest.worker_plugin),
        None => Err(request::over_limit(format!("a task may hold {} MiB of bodies", crate::user::limits::HELD >> 20))),
    };
    if let Ok(built) = &mut built {
        adjust(built);
    }
    Ok(submit(session, Submission { built, redirects, reservation, row }))
}

/// A request that is about to be submitted.
pub(super) struct Submission {
    /// The request, or the reason why it cannot be sent.
    pub built: Result<Request, crate::net::Failure>,
    /// The redirects that it follows.
    pub redirects: RedirectPolicy,
    /// The reservation for a body made at run time, which is kept until the exchange is over.
    pub reservation: Option<Reservation>,
    /// The row in which its samples count; `None` for that of the step.
    pub row: Option<RowId>,
}

/// Submits a request.
pub(super) fn submit(session: &Rc<Session>, submission: Submission) -> u32 {
    let (owner, operations) = (Rc::clone(session), &session.task.operations);
    let Submission { built, redirects, reservation, row } = submission;
    match (built, reservation) {
        (Ok(request), None) => {
            operations.submit(OperationKind::Exchange, |id| exchange::run_exchange(owner, id, request, redirects, row))
        }
        (Ok(request), Some(held)) => operations.submit(OperationKind::Exchange, |id| async move {
            let _held = held;
            exchange::run_exchange(owner, id, request, redirects, row).await
        }),
        (Err(failure), _) => {
            operations.submit(OperationKind::Exchange, |_| exchange::fail_unsendable(owner, failure, row))
        }
    }
}

/// Calls `look` with an exchange that has been announced.
///
/// # Errors
/// The operation is another one, or was given up; the guest traps.
pub(super) fn with_exchange<T>(
    state: &mut StoreData,
    operation: u32,
    look: impl FnOnce(&CompletedExchange) -> T,
) -> wasmtime::Result<T> {
    let session = state.guest().session()?;
    session
        .task
        .operations
        .with_completion(operation, |ended| match ended {
            Completion::Exchange(timed) => Some(look(timed)),
            _ => None,
        })
        .flatten()
        .ok_or_else(|| wasmtime::format_err!("operation {operation} is not a completed exchange"))
}
