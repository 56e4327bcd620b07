//! Giving up what is in flight.

use crate::plugin::contract::bindings::operations::Host;
use crate::plugin::contract::state::State;

impl Host for State {
    fn cancel(&mut self, operation: u32) -> wasmtime::Result<()> {
        let guest = self.guest();
        let session = guest.session()?;
        session.give_up(operation);
        if guest.family.terms.hands_over_once {
            session.task.forget(operation);
        }
        Ok(())
    }
}
