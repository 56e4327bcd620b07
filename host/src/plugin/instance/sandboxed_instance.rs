//! One instance of a component, in a store of its own. Every call has a time budget; an error from here means that the
//! instance is dead.

use std::rc::Rc;
use std::time::Duration;

use wasmtime::{Store, Trap};

use super::{budget, limits};
use crate::plugin::contract::bindings::{ConfigError, Description, Plugin, PluginPre, Progress};
use crate::plugin::contract::state::StoreData;
use crate::user::Session;

/// The number of bytes below address 0 in which an access is taken for an overflow of the stack: the size of the
/// largest frame.
const OVERFLOW_BYTES: u64 = 16 << 20;

/// A live instance of a component.
pub(crate) struct SandboxedInstance {
    store: Store<StoreData>,
    guest: Plugin,
    /// Processor time for a call that is not part of setting up.
    call_limit: Duration,
    #[cfg(feature = "native-twin")]
    is_baseline: bool,
}

impl SandboxedInstance {
    /// Instantiates a component; nothing is configured yet.
    ///
    /// # Errors
    /// The component needs an import that does not exist, or traps while it starts.
    pub(crate) fn new(pre: &PluginPre<StoreData>, mut state: StoreData) -> wasmtime::Result<Self> {
        let worker_plugin = Rc::clone(&state.guest().worker_plugin);
        let (copied, call) = (worker_plugin.policy.limits.copied, worker_plugin.policy.limits.call);
        let mut store = Store::new(pre.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(copied);
        install(&mut store);
        grant(&mut store, worker_plugin.setup_budget.get());
        let guest = pre.instantiate(&mut store)?;
        Ok(Self {
            store,
            guest,
            call_limit: call,
            #[cfg(feature = "native-twin")]
            is_baseline: crate::plugin::instance::native_baseline::is_enabled(),
        })
    }

    /// Returns the state that the imports act on.
    pub(crate) fn state(&mut self) -> &mut StoreData {
        self.store.data_mut()
    }

    /// Returns the plugin's description of itself.
    ///
    /// # Errors
    /// It trapped.
    pub(crate) fn describe(&mut self) -> wasmtime::Result<Description> {
        grant(&mut self.store, limits::SET_UP);
        let result = self.guest.stampede_plugin_action().call_describe(&mut self.store);
        self.with_output(result)
    }

    /// Configures a step. Returns the guest's number of it.
    ///
    /// # Errors
    /// It trapped.
    pub(crate) fn configure(&mut self, action: &str, params: &str) -> wasmtime::Result<Result<u32, ConfigError>> {
        let set_up = self.state().guest().worker_plugin.setup_budget.get();
        grant(&mut self.store, set_up);
        let result = self.guest.stampede_plugin_action().call_configure(&mut self.store, action, params);
        self.with_output(result)
    }

    /// Begins a task.
    ///
    /// # Errors
    /// It trapped.
    #[inline]
    pub(crate) fn start(&mut self, session: &Rc<Session>, step: u32, task: u32) -> wasmtime::Result<Progress> {
        #[cfg(feature = "native-twin")]
        if self.is_baseline {
            return crate::plugin::instance::native_baseline::start(self.store.data_mut(), session, step);
        }
        self.call(session, true, |guest, store| guest.stampede_plugin_action().call_start(store, step, task))
    }

    /// Tells the guest that an operation has completed.
    ///
    /// # Errors
    /// It trapped.
    #[inline]
    pub(crate) fn resume(&mut self, session: &Rc<Session>, task: u32, operation: u32) -> wasmtime::Result<Progress> {
        #[cfg(feature = "native-twin")]
        if self.is_baseline {
            return crate::plugin::instance::native_baseline::resume(self.store.data_mut(), session, operation);
        }
        self.call(session, true, |guest, store| guest.stampede_plugin_action().call_resume(store, task, operation))
    }

    /// Tells the guest that a pending task is over.
    ///
    /// # Errors
    /// It trapped.
    pub(crate) fn cancel(&mut self, session: &Rc<Session>, task: u32) -> wasmtime::Result<()> {
        self.call(session, false, |guest, store| guest.stampede_plugin_action().call_cancel(store, task))
    }

    /// Tells the guest that a user is gone.
    ///
    /// # Errors
    /// It trapped.
    pub(crate) fn forget_user(&mut self, session: &Rc<Session>) -> wasmtime::Result<()> {
        self.call(session, false, |guest, store| guest.stampede_plugin_action().call_forget_user(store, session.id))
    }

    /// Calls the guest about a user; `acting` if the call may also act for the user.
    #[inline]
    fn call<T>(
        &mut self,
        session: &Rc<Session>,
        acting: bool,
        call: impl FnOnce(&Plugin, &mut Store<StoreData>) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        grant(&mut self.store, self.call_limit);
        // Every access to the guest's data checks that this is its thread, which takes time.
        self.store.data_mut().guest().enter(session, acting);
        let result = call(&self.guest, &mut self.store);
        let result = self.with_output(result).map_err(|trap| self.explain_interrupt(trap));
        self.store.data_mut().guest().leave();
        result
    }

    /// Adds to an interrupt the limit that caused it.
    #[cold]
    fn explain_interrupt(&self, trap: wasmtime::Error) -> wasmtime::Error {
        if trap.downcast_ref::<Trap>() != Some(&Trap::Interrupt) {
            return trap;
        }
        let limit = humantime::format_duration(self.call_limit);
        trap.context(format!("it computed for longer than `limits: {{call: {limit}}}` allows"))
    }

    /// Logs what the guest printed in a call that has just returned.
    fn with_output<T>(&mut self, result: wasmtime::Result<T>) -> wasmtime::Result<T> {
        let result = result.map_err(explain_overflow);
        let Some(printed) = self.store.data().printed.take() else { return result };
        let guest = self.store.data_mut().guest();
        // A panic prints its message before it traps; the message is the reason.
        if let Err(trap) = result {
            return Err(trap.context(guest.redact_line(&panic_message(&printed))));
        }
        printed.lines().filter(|line| !line.is_empty()).for_each(|line| guest.log(tracing::Level::DEBUG, line));
        result
    }
}

/// Adds to a trap that it overflowed a stack, if it did. A guest keeps its own stack below all else in its memory, so
/// an overflow goes below address 0, which is just below 4 GiB in 32 bits.
#[cold]
fn explain_overflow(trap: wasmtime::Error) -> wasmtime::Error {
    const WORDS: &str = "memory fault at wasm address 0x";
    let address = trap.chain().find_map(|cause| {
        let cause = cause.to_string();
        let (_, after) = cause.split_once(WORDS)?;
        let digits = after.split(|digit: char| !digit.is_ascii_hexdigit()).next()?;
        u64::from_str_radix(digits, 16).ok()
    });
    if address.is_some_and(|address| address >= u64::from(u32::MAX) - OVERFLOW_BYTES) {
        return trap.context(
            "it overflowed its stack, by recursion or by large local variables (the linker's `-z stack-size` enlarges it)",
        );
    }
    if trap.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return trap.context("it recursed too deep");
    }
    trap
}

/// Returns the text that a guest printed before it trapped, on one line, without the `note:` lines that its language
/// adds.
fn panic_message(printed: &str) -> String {
    let lines = printed.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("note: "));
    lines.collect::<Vec<_>>().join(" ")
}

/// Makes a store's calls end at their budgets.
fn install(store: &mut Store<StoreData>) {
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().guest().budget.check()));
}

/// Sets the budget of a store's next call.
fn grant(store: &mut Store<StoreData>, whole: Duration) {
    store.data_mut().guest().budget = budget::CallBudget::new(whole);
    store.set_epoch_deadline(budget::ticks(whole));
}
