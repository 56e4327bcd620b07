//! The host's metered HTTP client, on the current user's connections.

use std::rc::Rc;

use hyper::header::{HeaderName, HeaderValue};

use crate::http::{Field, Request};
use crate::plugin::bindings::http::{DynamicRequest, Host, ReplySummary, RequestTemplate};
use crate::plugin::bindings::types::FailureKind;
use crate::plugin::limits;
use crate::plugin::operation::{self, Ended, Redirects, TimedExchange};
use crate::plugin::request::{self, PreparedRequest};
use crate::plugin::session::Session;
use crate::plugin::socket::Held;
use crate::plugin::state::State;

impl Host for State {
    fn prepare(&mut self, request: RequestTemplate) -> wasmtime::Result<Result<u32, String>> {
        let guest = self.guest();
        guest.configuring()?;
        if guest.requests.len() >= limits::REQUESTS {
            return Ok(Err(format!("a plugin may prepare {} requests", limits::REQUESTS)));
        }
        Ok(PreparedRequest::new(request, guest)?.map(|prepared| {
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
            None => Err(request::excessive(format!("a task may hold {} MiB of bodies", limits::HELD >> 20))),
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
            Err(failure) => Err(super::kind_to_guest(failure.kind)),
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
    built: Result<Request, crate::http::Failure>,
    redirects: Redirects,
    held: Option<Held>,
) -> u32 {
    let owner = Rc::clone(session);
    match (built, held) {
        (Ok(request), None) => session.task.submit(|id| operation::exchange(owner, id, request, redirects)),
        (Ok(request), Some(held)) => session.task.submit(|id| async move {
            let _held = held;
            operation::exchange(owner, id, request, redirects).await
        }),
        (Err(failure), _) => session.task.submit(|_| operation::unsendable(owner, failure)),
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

/// The header fields of names and values, or what is wrong with the first that HTTP or the host does not allow.
pub fn header_fields(pairs: &[(String, String)]) -> Result<Vec<Field>, String> {
    few_enough(pairs.len())?;
    let field = |(name, value): &(String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header name"))?;
        let value = header_value(&name, value)?;
        Ok((name, value))
    };
    pairs.iter().map(field).collect()
}

/// Checks the number of a request's header fields.
///
/// # Errors
/// There are too many.
pub fn few_enough(fields: usize) -> Result<(), String> {
    if fields <= limits::HEADERS {
        return Ok(());
    }
    Err(format!("{fields} header fields are too many; a request may have {}", limits::HEADERS))
}

/// The value of a header field. What is wrong with one is said without repeating it.
///
/// # Errors
/// It is too long, or HTTP does not allow it.
pub fn header_value(name: &HeaderName, value: &str) -> Result<HeaderValue, String> {
    if value.len() > limits::HEADER_VALUE {
        return Err(format!("the value of header `{name}` is longer than {} bytes", limits::HEADER_VALUE));
    }
    HeaderValue::from_str(value)
        .map_err(|_| format!("the value of header `{name}` has a character that HTTP does not allow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_header_fields_are_an_error_and_no_panic() {
        let fields = |number: usize| (0..number).map(|n| (format!("x-{n}"), "v".to_owned())).collect::<Vec<_>>();
        assert_eq!(header_fields(&fields(limits::HEADERS)).map(|fields| fields.len()), Ok(limits::HEADERS));
        for number in [limits::HEADERS + 1, 25_000, 40_000] {
            let said = header_fields(&fields(number)).unwrap_err();
            assert_eq!(said, format!("{number} header fields are too many; a request may have 256"));
        }
    }

    #[test]
    fn a_header_value_that_is_refused_is_not_repeated() {
        let name = HeaderName::from_static("x-token");
        for (value, said) in [
            ("hunter2\n".to_owned(), "the value of header `x-token` has a character that HTTP does not allow"),
            ("x".repeat(limits::HEADER_VALUE + 1), "the value of header `x-token` is longer than 16384 bytes"),
        ] {
            assert_eq!(header_value(&name, &value).unwrap_err(), said);
        }
    }
}
