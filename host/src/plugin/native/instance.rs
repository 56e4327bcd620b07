//! One instance of a native plugin: the calls into the library, one at a time, each with the host's table.

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

/// A live instance, on the thread that created it.
pub(crate) struct NativeInstance {
    library: Arc<NativeLibrary>,
    /// The library's pointer to its instance.
    handle: *mut c_void,
    /// Pointer to a box. The bridge is accessed through this pointer only, because the library has it too.
    bridge: *mut Bridge,
    host: Box<stampede_host>,
}

impl NativeInstance {
    /// Creates an instance; nothing is configured yet.
    ///
    /// # Errors
    /// The library cannot create one.
    pub(crate) fn new(library: &Arc<NativeLibrary>, state: StoreData) -> wasmtime::Result<Self> {
        let instance = match library.plugin().create {
            None => std::ptr::null_mut(),
            Some(create) => {
                // SAFETY: by the contract, it takes nothing.
                let handle = unsafe { create() };
                wasmtime::ensure!(!handle.is_null(), "`create` returned a null pointer");
                handle
            }
        };
        let bridge = Box::into_raw(Box::new(Bridge::new(state)));
        Ok(Self { library: Arc::clone(library), handle: instance, bridge, host: Box::new(table::of(bridge)) })
    }

    /// Returns the host's side.
    pub(crate) fn state(&mut self) -> &mut StoreData {
        // SAFETY: no call into the library is under way, so there is no other reference to the bridge.
        unsafe { &mut (*self.bridge).state }
    }

    /// Configures a step.
    ///
    /// # Errors
    /// The contract was broken.
    pub(crate) fn configure(&mut self, action: &str, params: &str) -> wasmtime::Result<Result<u32, ConfigError>> {
        let (mut step, nothing) = (0, lend(""));
        let mut error = stampede_config_error { pointer: nothing, message: nothing, help: nothing };
        let function = required(self.library.plugin().configure)?;
        let status = self.call(|instance, host| {
            // SAFETY: these are the arguments of the contract, and they live until the call returns.
            unsafe { function(instance, host, lend(action), lend(params), &raw mut step, &raw mut error) }
        })?;
        match status {
            STAMPEDE_OK => Ok(Ok(step)),
            STAMPEDE_REFUSED => {
                let mut reader = PointerReader::new(self.state().guest().worker_plugin.policy.limits.copied);
                // SAFETY: by the contract, these texts stay valid until the library is called again.
                unsafe {
                    let (pointer, message) = (reader.text(error.pointer)?, reader.text(error.message)?);
                    let help = reader.optional_text(error.help)?.filter(|help| !help.is_empty());
                    Ok(Err(ConfigError { pointer, message, help }))
                }
            }
            other => Err(wasmtime::format_err!("`configure` returned {other}, which has no meaning")),
        }
    }

    /// Returns the library's description of itself.
    ///
    /// # Errors
    /// The contract was broken.
    pub(crate) fn describe(&self) -> wasmtime::Result<Description> {
        self.library.describe()
    }

    /// Begins a task.
    ///
    /// # Errors
    /// The contract was broken.
    pub(crate) fn start(&mut self, session: &Rc<Session>, step: u32, task: u32) -> wasmtime::Result<Progress> {
        let function = required(self.library.plugin().start)?;
        // SAFETY: these are the arguments of the contract.
        progress(self.call_for(session, true, |instance, host| unsafe { function(instance, host, step, task) })?)
    }

    /// Tells the library that an operation has completed.
    ///
    /// # Errors
    /// The contract was broken.
    pub(crate) fn resume(&mut self, session: &Rc<Session>, task: u32, operation: u32) -> wasmtime::Result<Progress> {
        let function = required(self.library.plugin().resume)?;
        // SAFETY: as above.
        progress(self.call_for(session, true, |instance, host| unsafe { function(instance, host, task, operation) })?)
    }

    /// Tells the library that a pending task is over.
    ///
    /// # Errors
    /// The contract was broken.
    pub(crate) fn cancel(&mut self, session: &Rc<Session>, task: u32) -> wasmtime::Result<()> {
        let Some(function) = self.library.plugin().cancel else { return Ok(()) };
        // SAFETY: as above.
        self.call_for(session, false, |instance, host| unsafe { function(instance, host, task) })
    }

    /// Tells the library that a user is gone.
    ///
    /// # Errors
    /// The contract was broken.
    pub(crate) fn forget_user(&mut self, session: &Rc<Session>) -> wasmtime::Result<()> {
        let Some(function) = self.library.plugin().forget_user else { return Ok(()) };
        // SAFETY: as above.
        self.call_for(session, false, |instance, host| unsafe { function(instance, host, session.id) })
    }

    /// Calls the library about a user; `acting` if the call may also act for the user.
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

    /// Calls the library, which may call the host meanwhile.
    fn call<T>(&mut self, call: impl FnOnce(*mut c_void, *const stampede_host) -> T) -> wasmtime::Result<T> {
        // SAFETY: the bridge lives as long as the instance, and the library uses the pointer only within the call.
        unsafe { (*self.bridge).in_call = true };
        let result = call(self.handle, &raw const *self.host);
        // SAFETY: as above.
        unsafe { (*self.bridge).leave() }?;
        Ok(result)
    }
}

impl Drop for NativeInstance {
    fn drop(&mut self) {
        if let Some(destroy) = self.library.plugin().destroy {
            // SAFETY: the handle came from `create`, or is null without it, and is not used again.
            unsafe { destroy(self.handle) };
        }
        // SAFETY: the pointer came from a box, and the table that leads to it is dropped with it.
        drop(unsafe { Box::from_raw(self.bridge) });
    }
}

/// Lends a text that the library may read until it returns.
const fn lend(text: &str) -> stampede_text {
    stampede_text { at: text.as_ptr().cast(), length: text.len() }
}

fn required<T>(function: Option<T>) -> wasmtime::Result<T> {
    function.ok_or_else(|| wasmtime::format_err!("the library has lost a function"))
}

fn progress(number: u32) -> wasmtime::Result<Progress> {
    from_number(&[Progress::Pending, Progress::Passed, Progress::Failed], number)
}
