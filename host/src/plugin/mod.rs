//! The plugin host. Every action of a script is a plugin, most of them by authors whom the user does not know. So
//! everything that concerns trust is in this module: components are found, verified, compiled and limited here, and
//! each capability that a guest may use passes through one file.
//!
//! | file | contents |
//! |---|---|
//! | `load/` | from the script's entry to compiled code and the actions that it offers |
//! | `contract/` | everything that a guest can see: bindings, capabilities, state |
//! | `instance/` | one running instance: its limits, its budget, and its replacement after a trap |
//! | `native/` | shared libraries, which run outside the sandbox |
//! | `policy` | what the script lets a plugin do |
//! | `script_context` | the parts of the script that a plugin is given |

pub(crate) mod contract;
pub mod instance;
pub mod load;
pub(crate) mod native;
pub(crate) mod policy;
pub(crate) mod script_context;

pub(crate) use contract::bindings::Progress;
