//! The boundary between the SDK and the host: the only file that names the code `wit-bindgen` generates.
//!
//! The rest of the SDK calls the modules re-exported here. In a component they are the host's imports; in a native
//! build, where there is no host, they are the fake of [`crate::testing`] under the same names and signatures.

#[allow(missing_docs, reason = "documented in wit/, which it is generated from")]
mod generated {
    wit_bindgen::generate!({
        path: "wit",
        world: "plugin",
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

pub(crate) use generated::stampede::plugin::types::FailureKind;
#[cfg(target_arch = "wasm32")]
pub(crate) use generated::stampede::plugin::{
    files, http, lifetime, log, operations, report, sockets, streams, task, templates, timer, transfers, user,
};
pub(crate) use generated::stampede::plugin::{
    http as http_types, log as log_types, report as report_types, sockets as socket_types, transfers as transfer_types,
};
pub use generated::{export, exports};

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::native::*;

/// The fake host, and the types that only the fake names.
#[cfg(not(target_arch = "wasm32"))]
mod native {
    pub(crate) use super::generated::stampede::plugin::templates as template_types;
    pub(crate) use crate::testing::imports::{
        files, http, log, operations, report, sockets, streams, task, templates, timer, user,
    };
    pub(crate) use crate::testing::long_tasks::{lifetime, transfers};
}
