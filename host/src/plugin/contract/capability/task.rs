//! The turn of the current task, and the time that it has been active.

use std::rc::Rc;

use crate::plugin::contract::bindings::task::Host;
use crate::plugin::contract::state::StoreData;
use crate::user::{OperationKind, exchange};

impl Host for StoreData {
    fn turn(&mut self) -> wasmtime::Result<Option<u32>> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        if session.task.held_turn.get().is_some() || !session.is_limited() {
            return Ok(None);
        }
        let operation = exchange::wait_for_turn(Rc::clone(session));
        Ok(Some(session.task.operations.submit(OperationKind::Wait, |_| operation)))
    }

    fn active_time(&mut self) -> wasmtime::Result<u64> {
        let session = self.guest().session()?;
        Ok(session.task.active_time.at(session.shared.clock.now()))
    }
}
