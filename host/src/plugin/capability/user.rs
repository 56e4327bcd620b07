//! The current virtual user: who it is, its variables, its header store, its random stream.

use hyper::header::{HeaderName, HeaderValue};

use crate::plugin::bindings::user::Host;
use crate::plugin::state::State;

impl Host for State {
    fn id(&mut self) -> wasmtime::Result<u32> {
        Ok(self.guest().session()?.id)
    }

    fn iteration(&mut self) -> wasmtime::Result<u64> {
        Ok(self.guest().session()?.iteration.get())
    }

    fn variable(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let guest = self.guest();
        let Some(id) = guest.variables.borrow().lookup(&name) else { return Ok(None) };
        Ok(guest.session()?.variables().borrow().get(id).map(str::to_owned))
    }

    fn set_variable(&mut self, name: String, value: String) -> wasmtime::Result<()> {
        let guest = self.guest();
        let session = guest.session()?;
        // A name that no template reads has no number, and no one to miss it.
        if let Some(id) = guest.variables.borrow().lookup(&name) {
            session.variables().borrow_mut().set(id, &value);
        }
        Ok(())
    }

    fn set_header(&mut self, name: String, value: String) -> wasmtime::Result<Result<(), String>> {
        let session = self.guest().session()?;
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Ok(Err(format!("`{}` is not a header name", session.redact(&name))));
        };
        let Ok(mut value) = HeaderValue::from_str(&value) else {
            return Ok(Err(format!("the value of header `{name}` has a character that HTTP does not allow")));
        };
        value.set_sensitive(true);
        session.set_header(name, value);
        Ok(Ok(()))
    }

    fn random(&mut self) -> wasmtime::Result<u64> {
        Ok(self.guest().session()?.random())
    }
}
