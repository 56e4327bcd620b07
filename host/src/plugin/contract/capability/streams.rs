//! HTTP exchanges whose content goes back and forth in pieces.

use std::future::{Future, poll_fn};
use std::rc::Rc;

use super::convert;
use crate::http::BodyChannel;
use crate::plugin::contract::bindings::streams::Host;
use crate::plugin::contract::bindings::types::FailureKind as GuestKind;
use crate::plugin::contract::request;
use crate::plugin::contract::state::StoreData;
use crate::plugin::instance::limits;
use crate::user::exchange::RedirectPolicy;
use crate::user::{Completion, ReceivedBytes, Reservation};

/// Bytes that one read gives.
const READ_BYTES: usize = 64 << 10;

impl Host for StoreData {
    fn open(&mut self, request: u32, content: Vec<u8>, more: bool) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        check_write_size(&content)?;
        let prepared = guest.request(request)?;
        let flow = Rc::new(BodyChannel::new(&session.task.allowance, more));
        let held = Reservation::new(&session.task.allowance, content.len());
        let mut built = match held {
            Some(_) => prepared.build(session, &guest.worker_plugin),
            None => {
                Err(request::over_limit(format!("a task may hold {} MiB of bodies", crate::user::limits::HELD >> 20)))
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
        let redirects = RedirectPolicy::new(0, &guest.worker_plugin.grants);
        let id = super::http::submit(session, built, redirects, held);
        session.task.add_channel(id, flow);
        Ok(id)
    }

    fn head(&mut self, exchange: u32) -> wasmtime::Result<u32> {
        submit_stream_operation(self, exchange, |flow, _| async move {
            Completion::HeadReceived(poll_fn(|_| flow.poll_head()).await)
        })
    }

    fn arrived(&mut self, operation: u32) -> wasmtime::Result<Result<u16, GuestKind>> {
        convert::take_completion(self, operation, |ended| match ended {
            Completion::HeadReceived(result) => Some(result),
            _ => None,
        })
    }

    fn header(&mut self, exchange: u32, name: String) -> wasmtime::Result<Option<String>> {
        Ok(body_channel(self, exchange)?.header(&name).map(text))
    }

    fn read(&mut self, exchange: u32) -> wasmtime::Result<u32> {
        submit_stream_operation(self, exchange, |flow, allowance| async move {
            let content = poll_fn(|_| flow.poll_read(READ_BYTES)).await;
            Completion::ContentReceived(content.and_then(|content| ReceivedBytes::new(content, &allowance)))
        })
    }

    fn received(&mut self, operation: u32) -> wasmtime::Result<Result<Vec<u8>, GuestKind>> {
        convert::take_completion(self, operation, |ended| match ended {
            Completion::ContentReceived(result) => Some(result.map(|read| read.bytes)),
            _ => None,
        })
    }

    fn trailer(&mut self, exchange: u32, name: String) -> wasmtime::Result<Option<String>> {
        Ok(body_channel(self, exchange)?.trailer(&name).map(text))
    }

    fn write(&mut self, exchange: u32, content: Vec<u8>) -> wasmtime::Result<u32> {
        check_write_size(&content)?;
        submit_stream_operation(self, exchange, |flow, _| {
            let written = flow.write(content.into());
            async move {
                Completion::ContentSent(match written {
                    Ok(()) => poll_fn(|cx| flow.poll_written(cx)).await,
                    Err(failure) => Err(failure),
                })
            }
        })
    }

    fn written(&mut self, operation: u32) -> wasmtime::Result<Result<(), GuestKind>> {
        convert::take_completion(self, operation, |ended| match ended {
            Completion::ContentSent(result) => Some(result),
            _ => None,
        })
    }

    fn leave(&mut self, exchange: u32) -> wasmtime::Result<()> {
        body_channel(self, exchange)?;
        let session = self.guest().session()?;
        session.finish_stream(exchange);
        session.task.discard(exchange);
        Ok(())
    }

    fn finish(&mut self, exchange: u32) -> wasmtime::Result<()> {
        body_channel(self, exchange)?.finish();
        Ok(())
    }
}

/// Submits what is asked of a streamed exchange. One that was given up fails.
fn submit_stream_operation<F: Future<Output = Completion> + 'static>(
    state: &mut StoreData,
    exchange: u32,
    make: impl FnOnce(Rc<BodyChannel>, crate::http::Allowance) -> F,
) -> wasmtime::Result<u32> {
    let flow = body_channel(state, exchange)?;
    let guest = state.guest();
    let session = guest.session()?;
    guest.check_operation_count(session)?;
    let future = make(flow, Rc::clone(&session.task.allowance));
    Ok(session.task.submit(|_| future))
}

fn body_channel(state: &mut StoreData, exchange: u32) -> wasmtime::Result<Rc<BodyChannel>> {
    let flow = state.guest().session()?.task.channel(exchange);
    flow.ok_or_else(|| wasmtime::format_err!("operation {exchange} is no streamed exchange"))
}

fn check_write_size(content: &[u8]) -> wasmtime::Result<()> {
    let most = limits::WRITE;
    wasmtime::ensure!(content.len() <= most, "one write may have {most} bytes");
    Ok(())
}

fn text(value: Vec<u8>) -> String {
    String::from_utf8_lossy(&value).into_owned()
}
