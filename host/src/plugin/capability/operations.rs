//! Giving up what is in flight.

use crate::plugin::bindings::operations::Host;
use crate::plugin::state::State;

impl Host for State {
    fn cancel(&mut self, operation: u32) -> wasmtime::Result<()> {
        self.guest().session()?.give_up(operation);
        Ok(())
    }
}
