//! The host's metered HTTP client, on the current user's connections.

use std::rc::Rc;

use super::convert;
use crate::http::Request;
use crate::plugin::contract::bindings::http::{DynamicRequest, Host, ReplySummary, RequestTemplate};
use crate::plugin::contract::bindings::types::FailureKind;
use crate::plugin::contract::state::StoreData;
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
        leave_encoded(&mut built, guest.decodes_itself && prepared.keeps_encoded());
        let redirects = RedirectPolicy::new(prepared.max_redirects(), &guest.worker_plugin.grants);
        Ok(submit(session, built, redirects, None))
    }

    fn send_dynamic(&mut self, request: DynamicRequest) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let redirects = request.options.max_redirects.min(request::MAX_REDIRECTS);
        let redirects = RedirectPolicy::new(redirects, &guest.worker_plugin.grants);
        let held = Reservation::new(&session.task.allowance, request.body.len());
        let is_encoded = guest.decodes_itself && request::keeps_encoded(&request.options);
        let mut built = match held {
            Some(_) => request::build_dynamic(request, session, &guest.worker_plugin),
            None => {
                Err(request::over_limit(format!("a task may hold {} MiB of bodies", crate::user::limits::HELD >> 20)))
            }
        };
        leave_encoded(&mut built, is_encoded);
        Ok(submit(session, built, redirects, held))
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
        with_exchange(self, operation, |exchange| {
            exchange.result.as_ref().map(|reply| reply.body.to_vec()).unwrap_or_default()
        })
    }
}

/// Has the content of the reply kept as it was transferred, if `is_encoded` is set.
fn leave_encoded(built: &mut Result<Request, crate::net::Failure>, is_encoded: bool) {
    if let Ok(request) = built {
        request.leaves_encoded = is_encoded;
    }
}

/// Submits a request. The reservation for a body made at run time is kept until the exchange is over.
pub(super) fn submit(
    session: &Rc<Session>,
    built: Result<Request, crate::net::Failure>,
    redirects: RedirectPolicy,
    reservation: Option<Reservation>,
) -> u32 {
    let owner = Rc::clone(session);
    match (built, reservation) {
        (Ok(request), None) => session
            .task
            .operations
            .submit(OperationKind::Exchange, |id| exchange::run_exchange(owner, id, request, redirects)),
        (Ok(request), Some(held)) => session.task.operations.submit(OperationKind::Exchange, |id| async move {
            let _held = held;
            exchange::run_exchange(owner, id, request, redirects).await
        }),
        (Err(failure), _) => {
            session.task.operations.submit(OperationKind::Exchange, |_| exchange::fail_unsendable(owner, failure))
        }
    }
}

fn with_exchange<T>(
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
