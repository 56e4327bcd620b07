//! Files that a step names.

use crate::plugin::contract::bindings::files::Host;
use crate::plugin::contract::prepare;
use crate::plugin::contract::state::State;

impl Host for State {
    fn read(&mut self, path: String) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let guest = self.guest();
        guest.configuring()?;
        Ok(prepare::read(&path, guest).map(Into::into))
    }
}
