//! Generated bindings of the contract for the host. The rest of the host names their items through this module only.

#![allow(missing_docs, clippy::all, reason = "generated; the WIT files hold the documentation")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "plugin",
    imports: { default: trappable },
});

pub(crate) use exports::stampede::plugin::action::{ActionDescription, ConfigError, Description, Progress};
pub(crate) use stampede::plugin::{
    files, http, lifetime, log, operations, report, sockets, streams, task, templates, timer, transfers, types, user,
};
