//! HTTP exchanges whose content goes back and forth in pieces.

use std::future::{Future, poll_fn};
use std::rc::Rc;

use super::convert;
use crate::http::Flow;
use crate::plugin::contract::bindings::streams::Host;
use crate::plugin::contract::bindings::types::FailureKind as GuestKind;
use crate::plugin::contract::request;
use crate::plugin::contract::state::State;
use crate::plugin::instance::limits;
use crate::user::exchange::Redirects;
use crate::user::{Ended, Held, Received};

/// Bytes that one read gives.
const READ: usize = 64 << 10;

impl Host for State {
    fn open(&mut self, request: u32, content: Vec<u8>, more: bool) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.room_for_one_more(session)?;
        few_enough(&content)?;
        let prepared = guest.request(request)?;
        let flow = Rc::new(Flow::new(&session.task.allowance, more));
        let held = Held::new(&session.task.allowance, content.len());
        let mut built = match held {
            Some(_) => prepared.build(session, &guest.family),
            None => {
                Err(request::excessive(format!("a task may hold {} MiB of bodies", crate::user::limits::HELD >> 20)))
            }
        };
        if let Ok(built) = &mut built {
            let of_its_own = !built.body.is_empty();
            wasmtime::ensure!(!of_its_own || (content.is_empty() && !more), "the request was prepared with a body");
            if !of_its_own {
                built.body = content.into();
            }
            (built.keep_body, built.decode, built.flow) = (None, false, Some(Rc::clone(&flow)));
        }
        if let Err(failure) = &built {
            flow.fail(failure.clone());
        }
        let redirects = Redirects::new(0, &guest.family.grants);
        let id = super::http::submit(session, built, redirects, held);
        session.task.keep_flow(id, flow);
        Ok(id)
    }

    fn head(&mut self, exchange: u32) -> wasmtime::Result<u32> {
        wait(self, exchange, |flow, _| async move { Ended::Headed(poll_fn(|_| flow.poll_head()).await) })
    }

    fn arrived(&mut self, operation: u32) -> wasmtime::Result<Result<u16, GuestKind>> {
        convert::ended(self, operation, |ended| match ended {
            Ended::Headed(result) => Some(result),
            _ => None,
        })
    }

    fn header(&mut self, exchange: u32, name: String) -> wasmtime::Result<Option<String>> {
        Ok(flow(self, exchange)?.header(&name).map(text))
    }

    fn read(&mut self, exchange: u32) -> wasmtime::Result<u32> {
        wait(self, exchange, |flow, allowance| async move {
            let content = poll_fn(|_| flow.poll_read(READ)).await;
            Ended::Streamed(content.and_then(|content| Received::new(content, &allowance)))
        })
    }

    fn received(&mut self, operation: u32) -> wasmtime::Result<Result<Vec<u8>, GuestKind>> {
        convert::ended(self, operation, |ended| match ended {
            Ended::Streamed(result) => Some(result.map(|read| read.bytes)),
            _ => None,
        })
    }

    fn trailer(&mut self, exchange: u32, name: String) -> wasmtime::Result<Option<String>> {
        Ok(flow(self, exchange)?.trailer(&name).map(text))
    }

    fn write(&mut self, exchange: u32, content: Vec<u8>) -> wasmtime::Result<u32> {
        few_enough(&content)?;
        wait(self, exchange, |flow, _| {
            let written = flow.write(content.into());
            async move {
                Ended::Sent(match written {
                    Ok(()) => poll_fn(|cx| flow.poll_written(cx)).await,
                    Err(failure) => Err(failure),
                })
            }
        })
    }

    fn written(&mut self, operation: u32) -> wasmtime::Result<Result<(), GuestKind>> {
        convert::ended(self, operation, |ended| match ended {
            Ended::Sent(result) => Some(result),
            _ => None,
        })
    }

    fn leave(&mut self, exchange: u32) -> wasmtime::Result<()> {
        flow(self, exchange)?;
        let session = self.guest().session()?;
        session.leave(exchange);
        session.task.forget(exchange);
        Ok(())
    }

    fn finish(&mut self, exchange: u32) -> wasmtime::Result<()> {
        flow(self, exchange)?.finish();
        Ok(())
    }
}

/// Submits what is asked of a streamed exchange. One that was given up fails.
fn wait<F: Future<Output = Ended> + 'static>(
    state: &mut State,
    exchange: u32,
    make: impl FnOnce(Rc<Flow>, crate::http::Allowance) -> F,
) -> wasmtime::Result<u32> {
    let flow = flow(state, exchange)?;
    let guest = state.guest();
    let session = guest.session()?;
    guest.room_for_one_more(session)?;
    let future = make(flow, Rc::clone(&session.task.allowance));
    Ok(session.task.submit(|_| future))
}

fn flow(state: &mut State, exchange: u32) -> wasmtime::Result<Rc<Flow>> {
    let flow = state.guest().session()?.task.flow(exchange);
    flow.ok_or_else(|| wasmtime::format_err!("operation {exchange} is no streamed exchange"))
}

fn few_enough(content: &[u8]) -> wasmtime::Result<()> {
    let most = limits::WRITE;
    wasmtime::ensure!(content.len() <= most, "one write may have {most} bytes");
    Ok(())
}

fn text(value: Vec<u8>) -> String {
    String::from_utf8_lossy(&value).into_owned()
}
