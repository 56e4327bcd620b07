//! The WebAssembly engine: every setting with its reason, and the ticker that ends endless calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{CacheStore, Config};

/// Interval at which the epoch advances, and so at which long calls are checked.
pub(crate) const EPOCH_TICK: Duration = Duration::from_millis(10);

/// The engine all plugins of the process share, and the thread that advances its epoch.
pub struct PluginEngine {
    engine: wasmtime::Engine,
    stop: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl PluginEngine {
    /// Builds the engine and starts its ticker.
    ///
    /// # Errors
    /// The processor or operating system lacks what compiled WebAssembly needs, or no thread can be started.
    pub fn new() -> wasmtime::Result<Self> {
        let engine = wasmtime::Engine::new(&config())?;
        let stop = Arc::new(AtomicBool::new(false));
        let ticker = std::thread::Builder::new().name("epoch".into()).spawn({
            let (engine, stop) = (engine.weak(), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(EPOCH_TICK);
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { engine, stop, ticker: Some(ticker) })
    }

    /// Returns wasmtime's engine.
    pub const fn inner(&self) -> &wasmtime::Engine {
        &self.engine
    }
}

impl Drop for PluginEngine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            // The ticker cannot panic; if it ever did, the run's result would still be valid.
            let _ = ticker.join();
        }
    }
}

/// Creates an engine with the same settings that only compiles: it has no ticker, and nothing ever runs in it. The
/// address space must be limited as in the process that will run the code. Functions that are in `store` are not
/// compiled again.
///
/// # Errors
/// As [`PluginEngine::new`].
pub(crate) fn compile_only(store: Option<Arc<dyn CacheStore>>) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = config();
    if let Some(store) = store {
        config.enable_incremental_compilation(store)?;
    }
    wasmtime::Engine::new(&config)
}

/// The environment variable that adds source lines to the backtraces of traps, if it is `1`. wasmtime reads it, and
/// code that was compiled under another setting does not load.
pub(crate) const BACKTRACE_VARIABLE: &str = "WASMTIME_BACKTRACE_DETAILS";

fn config() -> Config {
    let mut config = Config::new();
    // Components are the contract.
    config.wasm_component_model(true);
    // Calls into a guest are plain calls: nothing in the contract is asynchronous, and the bookkeeping costs time.
    config.concurrency_support(false);
    // Ends a guest that computes forever. Measured to cost little; fuel costs two to three times as much.
    config.epoch_interruption(true);
    // A guest links with a 32 KiB stack of its own; this is the native stack below it, and bounds its recursion.
    config.max_wasm_stack(512 * 1024);
    if has_limited_address_space() {
        // By default each memory reserves 4 GiB of addresses, so that it needs no checks of bounds.
        config.memory_reservation(0);
        config.memory_reservation_for_growth(SMALL_GROWTH);
        config.memory_guard_size(SMALL_GUARD);
    }
    config
}

/// Bytes of addresses that a memory reserves to grow into, where addresses are limited.
const SMALL_GROWTH: u64 = 1 << 20;
/// Bytes of addresses behind a memory, where addresses are limited.
const SMALL_GUARD: u64 = 64 << 10;

/// Returns `true` if the address space of the process is limited, as by `ulimit -v`. A process that compiles asks
/// before it limits itself, since its code must suit the process that runs it.
#[cfg(unix)]
fn has_limited_address_space() -> bool {
    rlimit::Resource::AS.get_soft().is_ok_and(|limit| limit < rlimit::INFINITY)
}

#[cfg(not(unix))]
const fn has_limited_address_space() -> bool {
    false
}
