//! The plugin host: components are found, compiled and limited here, and everything a guest may do passes through one
//! file per capability.
//!
//! | file | what it holds |
//! |---|---|
//! | `engine` | the engine and the clock that ends endless guests |
//! | `limits` | what one instance may use, each limit by name |
//! | `terms` | what the script says a plugin may do |
//! | `family` | what the instances of one plugin on one worker share |
//! | `budget` | how long a call may take |
//! | `locate` | bytes of a component, its contract version, the compile cache |
//! | `registry` | all plugins of a run and the actions they offer |
//! | `state` | what belongs to one instance on the host's side |
//! | `wasi` | the inert WASI that std-built guests import |
//! | `instance` | one instance: configure steps, call `start`, `resume`, `cancel` |
//! | `replica` | one worker's instance of one plugin, replaced after a trap |
//! | `metrics` | the names of plugins' metrics |
//! | `socket` | the sockets of a user |
//! | `session` | one virtual user as the capabilities see it |
//! | `operation` | what a task has in flight |
//! | `verdict` | the open sample, and what is held against it |
//! | `request` | prepared HTTP requests |
//! | `capability` | the imports, one file each |
//! | `twin` | the `http` action without WebAssembly, for a benchmark alone |

mod bindings;
mod budget;
mod capability;
pub mod engine;
pub mod family;
pub mod instance;
pub mod limits;
pub mod locate;
mod metrics;
pub mod operation;
pub mod registry;
pub mod replica;
pub mod request;
pub mod session;
mod socket;
pub mod state;
pub mod terms;
#[cfg(feature = "native-twin")]
mod twin;
mod verdict;
mod wasi;

pub use bindings::Progress;
