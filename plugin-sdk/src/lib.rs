//! Write actions for [stampede-shooter](https://github.com/stampede-shooter/stampede-shooter) as ordinary `async fn`s.
//!
//! An *action* is a verb that a load script can name. A *plugin* is a WebAssembly component that offers some. The host
//! owns time, sockets, TLS, HTTP, rate limits and metrics; an action says which operations it takes, in what order, and
//! whether the outcome is right. What follows is a tutorial; all of it compiles.
//!
//! # 1. A complete plugin
//!
//! ```
//! use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, http::Request, plugin};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Params {
//!     /// What to fetch.
//!     url: Template,
//! }
//!
//! struct Ping(Request);
//!
//! impl Action for Ping {
//!     const NAME: &'static str = "ping";
//!     const SUMMARY: &'static str = "fetches a page and expects status 200";
//!     type Params = Params;
//!
//!     fn configure(params: Params) -> Result<Self, ConfigError> {
//!         Request::get(params.url).prepare().map(Self)
//!     }
//!
//!     async fn run(&self, task: &Task) -> Outcome {
//!         match self.0.send(task).await?.status {
//!             200 => Ok(()),
//!             status => Err(Failure::status(format!("expected status 200, got {status}"))),
//!         }
//!     }
//! }
//!
//! plugin!(Ping);
//! # fn main() {}
//! ```
//!
//! Its `Cargo.toml` has `crate-type = ["cdylib", "rlib"]` under `[lib]` and depends on `stampede-plugin`, `serde` and
//! `schemars`; `cargo build --release --target wasm32-wasip2` builds the component. The script says where it is, and
//! uses it:
//!
//! ```yaml
//! plugins:
//!   ping: target/wasm32-wasip2/release/ping.wasm
//! steps:
//!   - name: Home
//!     action: ping
//!     url: https://site/?page={{randInt 1 20}}
//! ```
//!
//! # 2. The two moments
//!
//! [`Action::configure`] is called once per step, before the run: check the parameters there, prepare the requests, and
//! refuse what cannot work with a [`ConfigError`]. [`Action::run`] is called for every user and every time. One value
//! serves all users of a worker thread, so a task's own state is in its local variables.
//!
//! # 3. Parameters
//!
//! The step's keys arrive in `Params` by way of [serde](https://serde.rs). A [`Template`] is a text with
//! `{{helpers}}`, [`Fields`] a mapping of names to such texts, [`JsonTemplate`] a JSON document with them. What the
//! types cannot say, `configure` says, with a pointer to the value:
//!
//! ```
//! # use stampede_plugin::ConfigError;
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Params {
//!     /// How many items to ask for, 1 to 50.
//!     #[serde(default = "one")]
//!     items: u8,
//! }
//!
//! fn one() -> u8 {
//!     1
//! }
//!
//! fn check(params: &Params) -> Result<(), ConfigError> {
//!     match params.items {
//!         1..=50 => Ok(()),
//!         _ => Err(ConfigError::new("`items` must be from 1 to 50").at("/items")),
//!     }
//! }
//! # assert_eq!(check(&Params { items: 51 }).unwrap_err().pointer, "/items");
//! ```
//!
//! ## A fast first start
//!
//! The host checks a step's keys against a JSON Schema, which schemars makes from `Params` inside the component. That
//! code is a third of a small component and is compiled like the rest when a machine runs the plugin for the first
//! time. A schema in a file takes its place:
//!
//! ```ignore
//! impl Action for Ping {
//!     const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/ping.json"));
//!     // … as before …
//! }
//!
//! #[test]
//! fn the_schema_is_that_of_the_parameters() {
//!     stampede_plugin::testing::written_schema::<Ping>("schema/ping.json");
//! }
//! ```
//!
//! Begin with an empty file; `BLESS=1 cargo test` writes it, and without `BLESS` the test says when it is out of date.
//!
//! # 4. Several operations
//!
//! Requests are on their way as soon as they are sent, so two may be at once; and the next one may depend on the last:
//!
//! ```
//! # use std::time::Duration;
//! # use stampede_plugin::{Failure, Outcome, Task, http::{DynamicRequest, Request}};
//! async fn run(page: Request, poster: Request, task: &Task) -> Outcome {
//!     let (page, poster) = (page.send(task), poster.send(task));
//!     let next = page.await?.header("location").ok_or_else(|| Failure::check("expected a `location`, got none"))?;
//!     poster.await?;
//!     task.sleep(Duration::from_millis(200)).await;
//!     DynamicRequest::get(next).send(task).await?;
//!     Ok(())
//! }
//! ```
//!
//! Combinators such as those of the `futures` crate work too.
//!
//! # 5. The user
//!
//! [`Task::user`] is the virtual user: its variables, which later steps read with `{{var name}}`, the header fields that
//! it carries from now on, its own random stream.
//!
//! # 6. Tests
//!
//! On any target but WebAssembly the host is a fake that a unit test scripts: see `testing`.
//!
//! # 7. What to know
//!
//! - Returning an `Err` fails the task. `?` on an exchange passes on what the host found, such as a refused connection.
//! - A panic ends the instance: every task in flight in it fails, the log gets the message and a backtrace.
//! - Never block and never compute for long; the host ends a call after 100 ms.
//! - Files, environment and sockets are not there. Standard output goes to the log; [`log`] has levels.

mod action;
mod bindings;
mod config_error;
mod executor;
mod failure;
mod fields;
pub mod future;
#[doc(hidden)]
pub mod glue;
pub mod http;
mod json;
pub mod log;
pub mod metric;
mod operation;
mod params;
mod per_user;
pub mod socket;
mod task;
mod template;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod timeout;
mod user;

pub use action::{Action, UserId};
pub use config_error::ConfigError;
pub use failure::{Failure, FailureKind, Outcome};
pub use fields::Fields;
pub use json::JsonTemplate;
pub use operation::Sleep;
pub use per_user::PerUser;
pub use task::Task;
pub use template::Template;
pub use timeout::TimedOut;
pub use user::User;

/// Makes a plugin of one or more [`Action`]s: `plugin!(Ping);` or `plugin!(Open, Send, Close);`. Once per crate; its
/// name and version are the package's. Off WebAssembly it only checks the types, so that tests link.
#[macro_export]
macro_rules! plugin {
    ($($action:ty),+ $(,)?) => {
        const _: () = {
            enum Component {}

            impl $crate::glue::Plugin for Component {
                const NAME: &'static str = env!("CARGO_PKG_NAME");
                const VERSION: &'static str = env!("CARGO_PKG_VERSION");
                const ACTIONS: &'static [$crate::glue::Offer] = &[$($crate::glue::Offer::of::<$action>()),+];
            }

            #[cfg(target_arch = "wasm32")]
            $crate::glue::export!(Component with_types_in $crate::glue);
        };
    };
}
