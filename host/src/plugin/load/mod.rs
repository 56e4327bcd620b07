//! From what a script says of a plugin to code that can be instantiated: where it comes from, its bytes, whether they are
//! what the lock says, the compiled code, the actions it offers and what it may do.

pub mod cache;
pub mod compile;
pub mod fetch;
pub mod identify;
pub mod loader;
pub mod lock_file;
pub mod parallel_map;
pub mod plugin_set;
pub mod policy;
pub mod renew_lock;
pub mod resolve;
pub mod schema;
pub mod source;
