//! Files that a step names.

use crate::plugin::contract::bindings::files::Host;
use crate::plugin::contract::prepare;
use crate::plugin::contract::state::StoreData;

impl Host for StoreData {
    fn read(&mut self, path: String) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let guest = self.guest();
        guest.configuring()?;
        Ok(prepare::read_step_file(&path, guest).map(Into::into))
    }
}
