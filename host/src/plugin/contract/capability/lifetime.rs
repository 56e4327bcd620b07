//! The length of a task that lasts by design, and the end of its user's time.

use std::rc::Rc;

use crate::plugin::contract::bindings::lifetime::Host;
use crate::plugin::contract::state::StoreData;
use crate::user::{OperationKind, exchange};

impl Host for StoreData {
    fn lasts(&mut self, nanoseconds: u64) -> wasmtime::Result<()> {
        self.guest().configuring()?.lifetime.lasts = Some(nanoseconds);
        Ok(())
    }

    fn connections(&mut self, most: u16) -> wasmtime::Result<()> {
        self.guest().configuring()?.lifetime.connections = most;
        Ok(())
    }

    fn ending(&mut self) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let ending = exchange::wait_for_ending(Rc::clone(session));
        Ok(session.task.operations.submit(OperationKind::Ending, |_| ending))
    }
}
