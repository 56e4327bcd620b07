//! The host's side of one instance: data lent to the library, and violations of the contract. Every function that a
//! library may call goes through here.

use std::thread::{self, ThreadId};

use super::abi::{STAMPEDE_BROKEN, STAMPEDE_OK, STAMPEDE_REFUSED, stampede_bytes, stampede_host, stampede_text};
use super::pointer_reader::PointerReader;
use crate::plugin::contract::state::StoreData;

/// The host's side of one instance, which the functions of the table act on.
pub(super) struct Bridge {
    /// State that the capabilities act on.
    pub state: StoreData,
    /// First violation of the contract in the call under way.
    pub violation: Option<wasmtime::Error>,
    /// Data lent to the library, which stays in place until the call under way returns.
    loans: Vec<Vec<u8>>,
    /// The thread of the instance.
    owner_thread: ThreadId,
    /// True while a call into the library is under way.
    pub in_call: bool,
}

impl Bridge {
    /// Creates the host's side of a new instance.
    pub(super) fn new(state: StoreData) -> Self {
        Self { state, violation: None, loans: Vec::new(), owner_thread: thread::current().id(), in_call: false }
    }

    /// Lends a text for the rest of the call.
    pub(super) fn text(&mut self, text: String) -> stampede_text {
        let stampede_bytes { at, length } = self.bytes(text.into_bytes());
        stampede_text { at: at.cast(), length }
    }

    /// Lends a text that may be missing.
    pub(super) fn optional_text(&mut self, text: Option<String>) -> stampede_text {
        text.map_or(stampede_text { at: std::ptr::null(), length: 0 }, |text| self.text(text))
    }

    /// Lends bytes for the rest of the call.
    pub(super) fn bytes(&mut self, bytes: Vec<u8>) -> stampede_bytes {
        // The bytes of a vector stay where they are when the vector itself is moved.
        let lent = stampede_bytes { at: bytes.as_ptr(), length: bytes.len() };
        self.loans.push(bytes);
        lent
    }

    /// Ends a call into the library: lent data is dropped.
    ///
    /// # Errors
    /// The library broke the contract in the call.
    pub(super) fn leave(&mut self) -> wasmtime::Result<()> {
        self.in_call = false;
        self.loans.clear();
        self.violation.take().map_or(Ok(()), Err)
    }
}

/// Calls `act` for the library behind `host` and writes its result to `out`.
///
/// # Safety
/// `host` is null or the table that the instance was given; `out` is null or can be written to.
pub(super) unsafe fn call<T>(
    host: *const stampede_host,
    out: *mut T,
    act: impl FnOnce(&mut Bridge, &mut PointerReader) -> wasmtime::Result<T>,
) -> u32 {
    let mut never = ();
    // SAFETY: as above, and there is a place for the reason, which is never written.
    unsafe { call_fallible(host, out, &raw mut never, |bridge, reader| Ok(Ok(act(bridge, reader)?))) }
}

/// Calls `act`, which has no result.
///
/// # Safety
/// As [`call`].
pub(super) unsafe fn call_unit(
    host: *const stampede_host,
    act: impl FnOnce(&mut Bridge, &mut PointerReader) -> wasmtime::Result<()>,
) -> u32 {
    let mut nothing = ();
    // SAFETY: as above.
    unsafe { call(host, &raw mut nothing, act) }
}

/// Calls `act`, and writes its result to `out`, or the reason why it failed to `reason`.
///
/// # Safety
/// As [`call`], for both places.
pub(super) unsafe fn call_fallible<T, E>(
    host: *const stampede_host,
    out: *mut T,
    reason: *mut E,
    act: impl FnOnce(&mut Bridge, &mut PointerReader) -> wasmtime::Result<Result<T, E>>,
) -> u32 {
    // SAFETY: the table that an instance was given leads to its bridge, which lives as long.
    let Some(bridge) = (unsafe { host.as_ref() }).map(|host| host.context.cast::<Bridge>()) else {
        return STAMPEDE_BROKEN;
    };
    // SAFETY: the thread of an instance never changes, so any thread may read it.
    if unsafe { (&raw const (*bridge).owner_thread).read() } != thread::current().id() {
        return STAMPEDE_BROKEN;
    }
    // SAFETY: it is the right thread, and while the library is in a call the host holds no other reference.
    let bridge = unsafe { &mut *bridge };
    if !bridge.in_call {
        return STAMPEDE_BROKEN;
    }
    let mut reader = PointerReader::new(bridge.state.guest().worker_plugin.policy.limits.copied);
    let done = if out.is_null() || reason.is_null() {
        Err(wasmtime::format_err!("an out parameter is a null pointer"))
    } else {
        act(bridge, &mut reader)
    };
    match done {
        Ok(Ok(value)) => {
            // SAFETY: it is not null, and by the contract can be written to.
            unsafe { out.write(value) };
            STAMPEDE_OK
        }
        Ok(Err(why)) => {
            // SAFETY: as above.
            unsafe { reason.write(why) };
            STAMPEDE_REFUSED
        }
        Err(error) => {
            // Later violations follow from the first.
            bridge.violation.get_or_insert(error);
            STAMPEDE_BROKEN
        }
    }
}
