//! Giving up what is in flight.

use crate::plugin::contract::bindings::operations::Host;
use crate::plugin::contract::state::StoreData;

impl Host for StoreData {
    fn cancel(&mut self, operation: u32) -> wasmtime::Result<()> {
        let guest = self.guest();
        let session = guest.session()?;
        session.abandon(operation);
        if guest.worker_plugin.policy.takes_once {
            session.task.discard(operation);
        }
        Ok(())
    }
}
