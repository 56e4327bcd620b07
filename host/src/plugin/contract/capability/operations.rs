//! Abandoning operations.

use crate::plugin::contract::bindings::operations::Host;
use crate::plugin::contract::state::StoreData;

impl Host for StoreData {
    fn cancel(&mut self, operation: u32) -> wasmtime::Result<()> {
        let guest = self.guest();
        let session = guest.session()?;
        session.abandon(operation);
        if !guest.speaks_v0_1_1 {
            session.discard(operation);
        }
        Ok(())
    }
}
