//! One instance of a native plugin: the calls into the library, one at a time, each with the host's table at hand.

use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;

use super::abi::{STAMPEDE_OK, STAMPEDE_REFUSED, stampede_config_error, stampede_host, stampede_text};
use super::bridge::Bridge;
use super::library::NativeLibrary;
use super::pointer_reader::{PointerReader, from_number};
use super::table;
use crate::plugin::contract::bindings::{ConfigError, Description, Progress};
use crate::plugin::contract::state::StoreData;
use crate::user::Session;

/// A live instance, on the thread that made it.
pub struct NativeInstance {
    library: Arc<NativeLibrary>,
    /// The library's own.
    handle: *mut c_void,
    /// Of a box; reached through this pointer alone, for the library has it too.
    bridge: *mut Bridge,
    host: Box<stampede_host>,
}

impl NativeInstance {
    /// Makes one; nothing is configured yet.
    ///
    /// # Errors
    /// The library cannot.
    pub fn new(library: &Arc<NativeLibrary>, state: StoreData) -> wasmtime::Result<Self> {
        let instance = match library.plugin().create {
            None => std::ptr::null_mut(),
            Some(create) => {
                // SAFETY: the contract says that it takes nothing.
                let handle = unsafe { create() };
                wasmtime::ensure!(!handle.is_null(), "`create` gave a null pointer");
                handle
            }
        };
        let bridge = Box::into_raw(Box::new(Bridge::new(state)));
        Ok(Self { library: Arc::clone(library), handle: instance, bridge, host: Box::new(table::of(bridge)) })
    }

    /// The host's side.
    pub fn state(&mut self) -> &mut StoreData {
        // SAFETY: no call into the library is under way, so that nobody else follows the pointer.
        unsafe { &mut (*self.bridge).state }
    }

    /// Configures a step.
    ///
    /// # Errors
    /// The contract was broken.
    pub fn configure(&mut self, action: &str, params: &str) -> wasmtime::Result<Result<u32, ConfigError>> {
        let (mut step, nothing) = (0, lend(""));
        let mut error = stampede_config_error { pointer: nothing, message: nothing, help: nothing };
        let function = required(self.library.plugin().configure)?;
        let answered = self.call(|instance, host| {
            // SAFETY: these are what the contract says, and they live until it returns.
            unsafe { function(instance, host, lend(action), lend(params), &raw mut step, &raw mut error) }
        })?;
        match answered {
            STAMPEDE_OK => Ok(Ok(step)),
            STAMPEDE_REFUSED => {
                let mut incoming = PointerReader::new(self.state().guest().worker_plugin.policy.limits.copied);
                // SAFETY: by the contract these texts stay until the library is called again.
                unsafe {
                    let (pointer, message) = (incoming.text(error.pointer)?, incoming.text(error.message)?);
                    let help = incoming.optional_text(error.help)?.filter(|help| !help.is_empty());
                    Ok(Err(ConfigError { pointer, message, help }))
                }
            }
            other => Err(wasmtime::format_err!("`configure` answered {other}, which means nothing")),
        }
    }

    /// What the library says it is.
    ///
    /// # Errors
    /// The contract was broken.
    pub fn describe(&self) -> wasmtime::Result<Description> {
        self.library.describe()
    }

    /// Begins a task.
    ///
    /// # Errors
    /// The contract was broken.
    pub fn start(&mut self, session: &Rc<Session>, step: u32, task: u32) -> wasmtime::Result<Progress> {
        let function = required(self.library.plugin().start)?;
        // SAFETY: these are what the contract says.
        progress(self.call_for(session, true, |instance, host| unsafe { function(instance, host, step, task) })?)
    }

    /// Says that an operation has ended.
    ///
    /// # Errors
    /// The contract was broken.
    pub fn resume(&mut self, session: &Rc<Session>, task: u32, operation: u32) -> wasmtime::Result<Progress> {
        let function = required(self.library.plugin().resume)?;
        // SAFETY: as above.
        progress(self.call_for(session, true, |instance, host| unsafe { function(instance, host, task, operation) })?)
    }

    /// Says that a task is over.
    ///
    /// # Errors
    /// The contract was broken.
    pub fn cancel(&mut self, session: &Rc<Session>, task: u32) -> wasmtime::Result<()> {
        let Some(function) = self.library.plugin().cancel else { return Ok(()) };
        // SAFETY: as above.
        self.call_for(session, false, |instance, host| unsafe { function(instance, host, task) })
    }

    /// Says that a user is gone.
    ///
    /// # Errors
    /// The contract was broken.
    pub fn forget_user(&mut self, session: &Rc<Session>) -> wasmtime::Result<()> {
        let Some(function) = self.library.plugin().forget_user else { return Ok(()) };
        // SAFETY: as above.
        self.call_for(session, false, |instance, host| unsafe { function(instance, host, session.id) })
    }

    /// A call that has to do with a user; `acting` if it may also act for the user.
    fn call_for<T>(
        &mut self,
        session: &Rc<Session>,
        acting: bool,
        call: impl FnOnce(*mut c_void, *const stampede_host) -> T,
    ) -> wasmtime::Result<T> {
        self.state().guest().enter(session, acting);
        let result = self.call(call);
        self.state().guest().leave();
        result
    }

    /// Calls into the library, which may call the host while it is there.
    fn call<T>(&mut self, call: impl FnOnce(*mut c_void, *const stampede_host) -> T) -> wasmtime::Result<T> {
        // SAFETY: the bridge lives as long as the instance, and nobody follows the pointer before the call or after it.
        unsafe { (*self.bridge).in_call = true };
        let answer = call(self.handle, &raw const *self.host);
        // SAFETY: as above.
        unsafe { (*self.bridge).leave() }?;
        Ok(answer)
    }
}

impl Drop for NativeInstance {
    fn drop(&mut self) {
        if let Some(destroy) = self.library.plugin().destroy {
            // SAFETY: the library made it, or has no use for it, and it is not called with it again.
            unsafe { destroy(self.handle) };
        }
        // SAFETY: it came out of a box, and the table that leads to it goes with it.
        drop(unsafe { Box::from_raw(self.bridge) });
    }
}

/// A text that the library may read until it returns.
const fn lend(text: &str) -> stampede_text {
    stampede_text { at: text.as_ptr().cast(), length: text.len() }
}

fn required<T>(function: Option<T>) -> wasmtime::Result<T> {
    function.ok_or_else(|| wasmtime::format_err!("the library has lost a function"))
}

fn progress(number: u32) -> wasmtime::Result<Progress> {
    from_number(&[Progress::Pending, Progress::Passed, Progress::Failed], number)
}
