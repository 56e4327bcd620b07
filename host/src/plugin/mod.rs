//! The plugin host: components are found, compiled and limited here, and everything a guest may do passes through one
//! file per capability.
//!
//! | folder | contents |
//! |---|---|
//! | `load` | from the script's words to compiled code and the actions it offers |
//! | `instance` | one running instance: its limits, its budget, and what replaces it after a trap |
//! | `contract` | what a guest can see: bindings, capabilities, state |
//! | `native` | shared libraries, which no sandbox holds |
//! | `policy`, `scripting` | what the script says a plugin may do, and what it is given of the script |

pub mod contract;
pub mod instance;
pub mod load;
pub mod native;
pub mod policy;
pub mod scripting;

pub use contract::bindings::Progress;
