//! Waiting, and the run's clock.

use std::rc::Rc;

use crate::plugin::contract::bindings::timer::Host;
use crate::plugin::contract::state::StoreData;
use crate::user::{OperationKind, exchange};

impl Host for StoreData {
    fn sleep(&mut self, nanoseconds: u64) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        Ok(session.task.operations.submit(OperationKind::Wait, |_| exchange::sleep(Rc::clone(session), nanoseconds)))
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.guest().session()?.shared.clock.now())
    }
}
