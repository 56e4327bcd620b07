//! The host's metered HTTP client, on the current user's connections.

use std::rc::Rc;

use super::convert;
use crate::http::Request;
use crate::plugin::contract::bindings::http::{DynamicRequest, Host, ReplySummary, RequestTemplate};
use crate::plugin::contract::bindings::types::FailureKind;
use crate::plugin::contract::state::State;
use crate::plugin::contract::{prepare, request};
use crate::plugin::instance::limits;
use crate::user::exchange::{self, Redirects};
use crate::user::{Ended, Held, Session, TimedExchange};

impl Host for State {
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
        guest.room_for_one_more(session)?;
        let prepared = guest.request(request)?;
        let built = prepared.build(session, &guest.family);
        let redirects = Redirects::new(prepared.max_redirects(), &guest.family.grants);
        Ok(submit(session, built, redirects, None))
    }

    fn send_dynamic(&mut self, request: DynamicRequest) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.room_for_one_more(session)?;
        let redirects = request.options.max_redirects.min(request::MOST_REDIRECTS);
        let redirects = Redirects::new(redirects, &guest.family.grants);
        let held = Held::new(&session.task.allowance, request.body.len());
        let built = match held {
            Some(_) => request::dynamic(request, session, &guest.family),
            None => {
                Err(request::excessive(format!("a task may hold {} MiB of bodies", crate::user::limits::HELD >> 20)))
            }
        };
        Ok(submit(session, built, redirects, held))
    }

    fn reply(&mut self, operation: u32) -> wasmtime::Result<Result<ReplySummary, FailureKind>> {
        exchange(self, operation, |exchange| match &exchange.result {
            Ok(reply) => {
                let measured = &exchange.measured;
                let duration = measured.end.unwrap_or(measured.start).saturating_sub(measured.start);
                Ok(ReplySummary { status: reply.status.as_u16(), body_bytes: measured.body_bytes_in, duration })
            }
            Err(failure) => Err(convert::kind_to_guest(failure.kind)),
        })
    }

    fn header(&mut self, operation: u32, name: String) -> wasmtime::Result<Option<String>> {
        exchange(self, operation, |exchange| {
            let value = exchange.result.as_ref().ok()?.headers.get(&name)?;
            Some(String::from_utf8_lossy(value).into_owned())
        })
    }

    fn url(&mut self, operation: u32) -> wasmtime::Result<String> {
        exchange(self, operation, |exchange| exchange.url().unwrap_or_default())
    }

    fn body(&mut self, operation: u32) -> wasmtime::Result<Vec<u8>> {
        exchange(self, operation, |exchange| {
            exchange.result.as_ref().map(|reply| reply.body.to_vec()).unwrap_or_default()
        })
    }
}

/// Submits what was built. A body that was made at run time is held until the exchange is over.
pub(super) fn submit(
    session: &Rc<Session>,
    built: Result<Request, crate::net::Failure>,
    redirects: Redirects,
    held: Option<Held>,
) -> u32 {
    let owner = Rc::clone(session);
    match (built, held) {
        (Ok(request), None) => session.task.submit(|id| exchange::exchange(owner, id, request, redirects)),
        (Ok(request), Some(held)) => session.task.submit(|id| async move {
            let _held = held;
            exchange::exchange(owner, id, request, redirects).await
        }),
        (Err(failure), _) => session.task.submit(|_| exchange::unsendable(owner, failure)),
    }
}

fn exchange<T>(state: &mut State, operation: u32, look: impl FnOnce(&TimedExchange) -> T) -> wasmtime::Result<T> {
    let session = state.guest().session()?;
    session
        .task
        .ended(operation, |ended| match ended {
            Ended::Exchange(timed) => Some(look(timed)),
            _ => None,
        })
        .flatten()
        .ok_or_else(|| wasmtime::format_err!("operation {operation} is no exchange that has ended"))
}
