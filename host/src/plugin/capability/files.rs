//! Files that a step names.

use crate::plugin::bindings::files::Host;
use crate::plugin::request;
use crate::plugin::state::State;

impl Host for State {
    fn read(&mut self, path: String) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let guest = self.guest();
        guest.configuring()?;
        Ok(request::read(&path, guest).map(Into::into))
    }
}
