//! Why the current task failed.

use crate::plugin::bindings::report::Host;
use crate::plugin::bindings::types::FailureKind;
use crate::plugin::state::State;

impl Host for State {
    fn fail(&mut self, kind: FailureKind, detail: String) -> wasmtime::Result<()> {
        self.guest().session()?.blame(super::kind_from_guest(kind), || detail);
        Ok(())
    }
}
