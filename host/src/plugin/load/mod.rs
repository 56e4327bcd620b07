//! From a script's entry for a plugin to code that can be instantiated. Nothing that is fetched is trusted: its digest
//! is compared with the script's and the lock's, it is compiled in a process of its own, and its schemas are checked
//! before they are used.
//!
//! | file | contents |
//! |---|---|
//! | `source` | where a component comes from: a path, `https://…` or `oci://…` |
//! | `fetch/` | from a source to bytes |
//! | `cache` | the user's private folder of compiled code and fetched components |
//! | `lock_file` | `stampede.lock`, the digests that plugins had |
//! | `renew_lock` | `plugin lock`, which writes it |
//! | `resolve` | one plugin of the script, from its entry to verified bytes and compiled code |
//! | `identify` | a component by its bytes: kind, digest, contract version, imports |
//! | `compile/` | from bytes to machine code, in a child process for components of strangers |
//! | `loader` | from compiled code to a plugin whose actions are known |
//! | `schema` | the JSON Schema of an action's parameters |
//! | `violations` | its violations, in the words of a script |
//! | `policy` | from a script's entry to a plugin's policy |
//! | `plugin_set` | all plugins that a script needs |
//! | `parallel_map` | fetching and compiling several plugins at once |

pub(crate) mod cache;
pub(crate) mod compile;
pub(crate) mod fetch;
pub(crate) mod identify;
pub mod loader;
pub(crate) mod lock_file;
pub(crate) mod parallel_map;
pub(crate) mod plugin_set;
pub(crate) mod policy;
pub(crate) mod renew_lock;
pub(crate) mod resolve;
pub(crate) mod schema;
pub(crate) mod source;
pub(crate) mod violations;
