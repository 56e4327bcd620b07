//! The only place where host bindings are generated. Everything in here but the macro call is generated code; the rest
//! of the host names its items through this module.

#![allow(missing_docs, clippy::all, reason = "generated; the WIT files hold the documentation")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "plugin",
    imports: { default: trappable },
});

pub use exports::stampede::plugin::action::{ActionDescription, ConfigError, Description, Progress};
pub use stampede::plugin::{files, http, log, operations, report, sockets, streams, templates, timer, types, user};
