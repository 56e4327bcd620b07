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
//! | `locate` | what a component is by its bytes: kind, digest, contract version |
//! | `source` | where a component comes from, as a script says it |
//! | `fetch` | its bytes: from a file, a web site, a registry |
//! | `cache` | the private folder of what was compiled or fetched before |
//! | `compile` | code, made by a child process within caps |
//! | `side_by_side` | work for several plugins at once |
//! | `schema` | what an action's parameters must be |
//! | `registry` | all plugins of a run and the actions they offer |
//! | `state` | what belongs to one instance on the host's side |
//! | `wasi` | the inert WASI that std-built guests import |
//! | `instance` | one instance: configure steps, call `start`, `resume`, `cancel` |
//! | `sandboxed` | an instance of a component |
//! | `native` | shared libraries, which no sandbox holds |
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
pub mod cache;
mod capability;
pub mod compile;
pub mod engine;
pub mod family;
pub mod fetch;
pub mod instance;
pub mod limits;
pub mod locate;
mod metrics;
pub mod native;
pub mod operation;
pub mod registry;
pub mod replica;
pub mod request;
mod sandboxed;
pub mod schema;
pub mod secrets;
pub mod session;
pub mod side_by_side;
mod socket;
pub mod source;
pub mod state;
pub mod terms;
#[cfg(feature = "native-twin")]
mod twin;
mod verdict;
mod wasi;

pub use bindings::Progress;
