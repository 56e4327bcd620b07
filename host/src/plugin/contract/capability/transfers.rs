//! Exchanges that count in rows of their own, can be looked at while they are under way, and are left without a
//! failure.

use super::http::{submit_dynamic, with_exchange};
use crate::http::Decoding;
use crate::metrics::aggregate::RowPart;
use crate::net::Measurements;
use crate::plugin::contract::bindings::http::DynamicRequest;
use crate::plugin::contract::bindings::transfers::{Host, RowTimes, TransferProgress, TransferTimes};
use crate::plugin::contract::state::{DefinedRow, StoreData};
use crate::plugin::instance::limits;
use crate::user::BodyNeed;

impl Host for StoreData {
    fn define_row(&mut self, what: String, times: RowTimes) -> wasmtime::Result<Result<u32, String>> {
        let guest = self.guest();
        let step = guest.configuring()?.row;
        if guest.rows.len() >= limits::DEFINITIONS {
            return Ok(Err(format!("an instance may define a row {} times", limits::DEFINITIONS)));
        }
        let wanted = RowPart { of: step, step: String::new(), what, is_by_design: times == RowTimes::ByDesign };
        let defined = guest.worker_plugin.rows.borrow_mut().define(wanted);
        Ok(defined.map(|row| {
            guest.rows.push(DefinedRow { step, row });
            guest.rows.len() as u32 - 1
        }))
    }

    fn begin(&mut self, request: DynamicRequest, row: u32) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        let row = guest.row(row, session)?;
        // The host itself reads content that a capture, a check or a condition needs.
        let is_read = session.task.body_need() > BodyNeed::Unread;
        submit_dynamic(guest, request, Some(row), |request| {
            request.takes_fingerprint = true;
            request.decoding = if is_read { Decoding::AtOnce } else { Decoding::OnDemand };
        })
    }

    fn progress(&mut self, exchange: u32) -> wasmtime::Result<TransferProgress> {
        let measured = measurements(self, exchange)?;
        let now = self.guest().session()?.shared.clock.now();
        // Content that has arrived from the site may still be on the user's link.
        let headed = headed(&measured).filter(|headed| *headed <= now);
        Ok(TransferProgress { headed, content: measured.body_bytes_in })
    }

    fn times(&mut self, exchange: u32) -> wasmtime::Result<TransferTimes> {
        with_exchange(self, exchange, |exchange| {
            let measured = &exchange.measured;
            let (start, end) = (measured.start, measured.end.unwrap_or(measured.start));
            let (headed, fresh) = (headed(measured).unwrap_or(end), measured.phases.connect.is_some());
            TransferTimes { start, headed, end, fresh }
        })
    }

    fn fingerprint(&mut self, exchange: u32) -> wasmtime::Result<u64> {
        let fingerprint = with_exchange(self, exchange, |exchange| {
            let is_transfer = exchange.request.as_ref().is_none_or(|request| request.takes_fingerprint);
            is_transfer.then(|| exchange.result.as_ref().map_or(0, |reply| reply.fingerprint))
        })?;
        fingerprint.ok_or_else(|| wasmtime::format_err!("operation {exchange} is not one that `begin` has submitted"))
    }

    fn leave(&mut self, exchange: u32, row: u32) -> wasmtime::Result<()> {
        measurements(self, exchange)?;
        let guest = self.guest();
        let session = guest.session()?;
        session.leave_exchange(exchange, guest.row(row, session)?);
        session.discard(exchange);
        Ok(())
    }
}

/// Returns the measurements of an exchange of the current task so far.
///
/// # Errors
/// The operation is not an exchange, or was given up; the guest traps.
fn measurements(state: &mut StoreData, exchange: u32) -> wasmtime::Result<Measurements> {
    let measured = state.guest().session()?.task.operations.exchange_measurements(exchange);
    measured.ok_or_else(|| wasmtime::format_err!("operation {exchange} is not an exchange"))
}

/// Returns the time at which the head of the reply was complete for the user, to whom it may have come over a link.
fn headed(measured: &Measurements) -> Option<u64> {
    measured.phases.first_byte.map(|_| measured.ends.first_byte.saturating_add(measured.link_delay))
}
