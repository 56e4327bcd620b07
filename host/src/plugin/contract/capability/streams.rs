//! HTTP exchanges whose content is sent and received in pieces.

use std::future::{Future, poll_fn};
use std::rc::Rc;

use super::convert;
use super::http::Submission;
use crate::http::BodyChannel;
use crate::plugin::contract::bindings::streams::Host;
use crate::plugin::contract::bindings::types::FailureKind as GuestKind;
use crate::plugin::contract::request;
use crate::plugin::contract::state::StoreData;
use crate::plugin::instance::limits;
use crate::user::exchange::RedirectPolicy;
use crate::user::{Completion, OperationKind, ReceivedBytes, Reservation};

/// Maximum number of bytes of one read.
const READ_BYTES: usize = 64 << 10;

impl Host for StoreData {
    fn open(&mut self, request: u32, content: Vec<u8>, more: bool) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        check_write_size(&content)?;
        let prepared = guest.request(request)?;
        let channel = Rc::new(BodyChannel::new(&session.task.allowance, more));
        let held = Reservation::new(&session.task.allowance, content.len());
        let mut built = match held {
            Some(_) => prepared.build(session, &guest.worker_plugin),
            None => {
                Err(request::over_limit(format!("a task may hold {} MiB of bodies", crate::user::limits::HELD >> 20)))
            }
        };
        if let Ok(built) = &mut built {
            let has_body = !built.body.is_empty();
            wasmtime::ensure!(!has_body || (content.is_empty() && !more), "the request was prepared with a body");
            if !has_body {
                built.body = content.into();
            }
            (built.keep_body, built.decode, built.channel) = (None, false, Some(Rc::clone(&channel)));
        }
        if let Err(failure) = &built {
            channel.fail(failure.clone());
        }
        let redirects = RedirectPolicy::new(0, &guest.worker_plugin.grants);
        let id = super::http::submit(session, Submission { built, redirects, reservation: held, row: None });
        session.task.operations.add_channel(id, channel);
        Ok(id)
    }

    fn head(&mut self, exchange: u32) -> wasmtime::Result<u32> {
        submit_stream_operation(self, exchange, |channel, _| async move {
            Completion::HeadReceived(poll_fn(|_| channel.poll_head()).await)
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
        submit_stream_operation(self, exchange, |channel, allowance| async move {
            let content = poll_fn(|_| channel.poll_read(READ_BYTES)).await;
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
        submit_stream_operation(self, exchange, |channel, _| {
            let written = channel.write(content.into());
            async move {
                Completion::ContentSent(match written {
                    Ok(()) => poll_fn(|cx| channel.poll_written(cx)).await,
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
        session.task.operations.discard(exchange, &session.task.allowance);
        Ok(())
    }

    fn finish(&mut self, exchange: u32) -> wasmtime::Result<()> {
        body_channel(self, exchange)?.finish();
        Ok(())
    }
}

/// Submits an operation on a streamed exchange. If the exchange was abandoned, the operation fails.
fn submit_stream_operation<F: Future<Output = Completion> + 'static>(
    state: &mut StoreData,
    exchange: u32,
    make: impl FnOnce(Rc<BodyChannel>, crate::http::Allowance) -> F,
) -> wasmtime::Result<u32> {
    let channel = body_channel(state, exchange)?;
    let guest = state.guest();
    let session = guest.session()?;
    guest.check_operation_count(session)?;
    let future = make(channel, Rc::clone(&session.task.allowance));
    Ok(session.task.operations.submit(OperationKind::Content, |_| future))
}

fn body_channel(state: &mut StoreData, exchange: u32) -> wasmtime::Result<Rc<BodyChannel>> {
    let channel = state.guest().session()?.task.operations.channel(exchange);
    channel.ok_or_else(|| wasmtime::format_err!("operation {exchange} is not a streamed exchange"))
}

fn check_write_size(content: &[u8]) -> wasmtime::Result<()> {
    let max = limits::WRITE;
    wasmtime::ensure!(content.len() <= max, "one write may have {max} bytes");
    Ok(())
}

fn text(value: Vec<u8>) -> String {
    String::from_utf8_lossy(&value).into_owned()
}
