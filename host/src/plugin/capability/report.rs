//! Why the current task failed.

use crate::plugin::bindings::report::Host;
use crate::plugin::bindings::types::FailureKind;
use crate::plugin::state::State;

impl Host for State {
    fn fail(&mut self, kind: FailureKind, detail: String) -> wasmtime::Result<()> {
        let session = self.guest().session()?;
        let mut failure = session.task.failure.borrow_mut();
        if failure.is_none() {
            *failure = Some((super::kind_from_guest(kind), session.redact(&detail)));
        }
        Ok(())
    }
}
