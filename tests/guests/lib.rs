//! The base of the misbehaving plugins: the contract's own bindings, without the SDK's safeguards in between.
//!
//! Each guest is one file beside this one, one example target of this package and so one component, and has a test of
//! its name in `tests/suites/guests/` (`tests/tidy.rs` checks that). A guest implements [`Misbehaviour`], of which it
//! overrides only the functions in which it misbehaves; every guest offers one action, `misbehave`.

#[allow(missing_docs, reason = "documented in wit/, which it is generated from")]
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin",
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

pub use bindings::exports::stampede::plugin::action::{ConfigError, Progress};
pub use bindings::stampede::plugin::types::FailureKind;
pub use bindings::stampede::plugin::{
    files, http, lifetime, log, operations, report, sockets, streams, task, templates, timer, transfers, user,
};

use bindings::exports::stampede::plugin::action::{ActionDescription, Description, Guest};

/// A plugin that misbehaves. Every function has a default that behaves well.
pub trait Misbehaviour {
    /// The schema of the parameters.
    const SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": true}"#;

    /// Runs within `describe`, before it returns the description.
    fn describing() {}

    /// Implements `configure`: one step, with its parameters as JSON.
    ///
    /// # Errors
    /// The guest rejects the step.
    fn configure(_params: &str) -> Result<u32, ConfigError> {
        Ok(0)
    }

    /// Implements `start`.
    fn start(_step: u32, _task: u32) -> Progress {
        Progress::Passed
    }

    /// Implements `resume`.
    fn resume(_task: u32, _operation: u32) -> Progress {
        Progress::Passed
    }

    /// Implements `cancel`.
    fn cancel(_task: u32) {}
}

impl<M: Misbehaviour> Guest for M {
    fn describe() -> Description {
        M::describing();
        Description {
            name: "guest".into(),
            version: "0.0.0".into(),
            actions: vec![ActionDescription {
                name: "misbehave".into(),
                summary: "does something wrong".into(),
                params_schema: M::SCHEMA.into(),
                sets_variables: false,
            }],
        }
    }

    fn configure(_action: String, params: String) -> Result<u32, ConfigError> {
        M::configure(&params)
    }

    fn start(step: u32, task: u32) -> Progress {
        M::start(step, task)
    }

    fn resume(task: u32, operation: u32) -> Progress {
        M::resume(task, operation)
    }

    fn cancel(task: u32) {
        M::cancel(task);
    }

    fn forget_user(_user: u32) {}
}

/// Returns the text of a parameter, not unescaped; empty if there is none.
pub fn text<'p>(params: &'p str, key: &str) -> &'p str {
    let after = params.split_once(&format!("\"{key}\":\"")).map(|(_, after)| after);
    after.and_then(|after| after.split('"').next()).unwrap_or_default()
}

/// Returns the whole number of a parameter; 0 if there is none.
pub fn number(params: &str, key: &str) -> usize {
    let after = params.split_once(&format!("\"{key}\":")).map(|(_, after)| after);
    let digits = after.and_then(|after| after.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// Builds a GET request without headers, whose reply is kept and whose redirects are followed.
pub fn get(url: &str) -> http::DynamicRequest {
    let options =
        http::RequestOptions { version: http::Version::Http1, max_redirects: 5, compression: false, keep_body: true };
    http::DynamicRequest { method: "GET".into(), url: url.into(), headers: Vec::new(), body: Vec::new(), options }
}

/// Exports a guest. On other targets than WebAssembly, where clippy checks it, there is nothing to export to.
#[macro_export]
macro_rules! guest {
    ($guest:ident) => {
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export!($guest with_types_in $crate::bindings);
    };
}
