//! The current virtual user: its identity, variables, header store and random stream.

use hyper::header::HeaderName;

use crate::plugin::contract::bindings::user::Host;
use crate::plugin::contract::header_fields::header_value;
use crate::plugin::contract::state::StoreData;
use crate::plugin::instance::limits;
use crate::template::{VariableId, VariableNames};

impl Host for StoreData {
    fn id(&mut self) -> wasmtime::Result<u32> {
        Ok(self.guest().session()?.id)
    }

    fn iteration(&mut self) -> wasmtime::Result<u64> {
        Ok(self.guest().session()?.iteration.get())
    }

    fn variable(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let guest = self.guest();
        let Some(id) = guest.worker_plugin.variables.borrow().lookup(&name) else { return Ok(None) };
        Ok(guest.session()?.variables().borrow().get(id).map(str::to_owned))
    }

    fn set_variable(&mut self, name: String, value: String) -> wasmtime::Result<()> {
        let guest = self.guest();
        let session = guest.session()?;
        wasmtime::ensure!(
            name.len() <= limits::VARIABLE_NAME && value.len() <= limits::VARIABLE,
            "a variable's name may have {} bytes, and its value {}",
            limits::VARIABLE_NAME,
            limits::VARIABLE
        );
        let id = intern(&mut guest.worker_plugin.variables.borrow_mut(), &name)?;
        session.set_variable(id, &value);
        Ok(())
    }

    fn set_header(&mut self, name: String, value: String) -> wasmtime::Result<Result<(), String>> {
        let session = self.guest().session()?;
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Ok(Err(format!("`{}` is not a header name", session.redact(&name))));
        };
        if name == hyper::header::HOST {
            return Ok(Err("`host` cannot be a header of a user: it would send every request to another host".into()));
        }
        let mut value = match header_value(&name, &value) {
            Ok(value) => value,
            Err(message) => return Ok(Err(message)),
        };
        value.set_sensitive(true);
        Ok(session.set_header(name, value))
    }

    fn random(&mut self) -> wasmtime::Result<u64> {
        Ok(self.guest().session()?.random())
    }
}

/// Returns the number of a variable, adding the name if no template reads it.
///
/// # Errors
/// There are too many names; the guest traps.
fn intern(names: &mut VariableNames, name: &str) -> wasmtime::Result<VariableId> {
    if let Some(id) = names.lookup(name) {
        return Ok(id);
    }
    wasmtime::ensure!(names.iter().count() < limits::VARIABLES, "there may be {} variables", limits::VARIABLES);
    Ok(names.intern(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_variables_is_limited_and_known_ones_remain() {
        let mut names = VariableNames::default();
        let first = intern(&mut names, "0").unwrap();
        for number in 1..limits::VARIABLES {
            assert!(intern(&mut names, &number.to_string()).is_ok());
        }
        assert_eq!(intern(&mut names, "one more").unwrap_err().to_string(), "there may be 1024 variables");
        assert_eq!(intern(&mut names, "0").unwrap(), first);
    }
}
