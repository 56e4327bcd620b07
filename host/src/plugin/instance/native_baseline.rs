//! The `http` action without WebAssembly, so that a benchmark can measure the cost of the sandbox: the same binary, the
//! same script, the same requests prepared by the real plugin; only `start` and `resume` are native. It is compiled
//! only with the feature `native-twin` and chosen by the environment variable `STAMPEDE_NATIVE_TWIN`, which no other
//! build reads.

use std::rc::Rc;

use crate::plugin::contract::bindings::Progress;
use crate::plugin::contract::bindings::http::Host;
use crate::plugin::contract::state::StoreData;
use crate::user::Session;

/// Returns `true` if this process runs the baseline.
pub(crate) fn is_enabled() -> bool {
    std::env::var_os("STAMPEDE_NATIVE_TWIN").is_some()
}

/// Begins a task: sends the step's request.
///
/// # Errors
/// The step has prepared no request: it is not of the `http` action.
pub(crate) fn start(state: &mut StoreData, session: &Rc<Session>, step: u32) -> wasmtime::Result<Progress> {
    with_session(state, session, |state| state.send(step).map(|_| Progress::Pending))
}

/// Judges the reply as `http` does by default.
///
/// # Errors
/// The operation is not one of the task's.
pub(crate) fn resume(state: &mut StoreData, session: &Rc<Session>, operation: u32) -> wasmtime::Result<Progress> {
    with_session(state, session, |state| {
        let reply = state.reply(operation)?;
        let passed = reply.is_ok_and(|reply| (200..=399).contains(&reply.status));
        Ok(if passed { Progress::Passed } else { Progress::Failed })
    })
}

fn with_session<T>(state: &mut StoreData, session: &Rc<Session>, act: impl FnOnce(&mut StoreData) -> T) -> T {
    state.guest().session = Some(Rc::clone(session));
    state.guest().may_act = true;
    let done = act(state);
    state.guest().session = None;
    state.guest().may_act = false;
    done
}
