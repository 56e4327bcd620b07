//! Actions for [stampede-shooter](https://github.com/stampede-shooter/stampede-shooter), as ordinary `async fn`s.
//!
//! An *action* is a verb that a load script can name. A *plugin* is a WebAssembly component that offers one or more of
//! them. The host owns time, sockets, TLS, HTTP, rate limits and metrics; an action decides which operations to submit,
//! in what order, and whether the outcome is acceptable. This page is a tutorial, and all of its code compiles. The
//! folder `plugin-sdk/examples` of the project's repository has nine complete plugins in the same order, each with its
//! tests.
//!
//! # 1. A complete plugin
//!
//! This is example `01_request.rs`:
//!
//! ```
//! use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, http::Request, plugin};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Params {
//!     /// The URL to fetch.
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
//! `stampede-shooter plugin new ping` writes a folder to start from. The plugin's `Cargo.toml` has
//! `crate-type = ["cdylib", "rlib"]` under `[lib]` and depends on `stampede-plugin`, `serde` and `schemars`;
//! `cargo build --release --target wasm32-wasip2` builds the component. The script names its file and uses it:
//!
//! ```yaml
//! plugins:
//!   ping:
//!     source: target/wasm32-wasip2/release/ping.wasm
//!     allow: [site]    # the hosts that it may connect to
//! steps:
//!   - name: Home
//!     action: ping
//!     url: https://site/?page={{randInt 1 20}}
//! ```
//!
//! # 2. Configuring and running
//!
//! The host calls [`Action::configure`] once per step, before the run: check the parameters there, prepare the
//! requests, and reject a step that cannot work with a [`ConfigError`]. It calls [`Action::run`] each time a user comes
//! to the step. One value serves all users of a worker thread, so keep the state of a task in local variables.
//!
//! # 3. Parameters
//!
//! [serde](https://serde.rs) reads the step's keys into `Params`. A [`Template`] is a text with `{{helpers}}`,
//! [`Fields`] a mapping of names to such texts, [`JsonTemplate`] a JSON document with them. `configure` checks the
//! rules that the types cannot express, and points at the offending value (example `02_parameters.rs`):
//!
//! ```
//! # use stampede_plugin::ConfigError;
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Params {
//!     /// The number of items to ask for, 1 to 50; one if absent.
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
//! The module [`parameters`] has the types that the built-in actions share, such as an expected status or a time with
//! its unit.
//!
//! ## A fast first start
//!
//! The host checks a step's keys against a JSON Schema, which schemars generates from `Params` inside the component.
//! That code is a third of a small component and is compiled like the rest when a machine runs the plugin for the first
//! time. A schema in a file replaces it:
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
//! Begin with an empty file; `BLESS=1 cargo test` writes it, and without `BLESS` the test fails when it is out of date.
//!
//! # 4. Concurrent operations
//!
//! A request is submitted by `send`, before it is awaited, so two may be in flight at once; and a request may depend on
//! an earlier reply:
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
//! Dropping an operation before it has completed gives it up: an exchange is cut off and counts as cancelled, a wait
//! ends. So keep the operations that you do not await yet. To run two futures of several operations each, use
//! [`future::try_join`] (example `03_join.rs`).
//!
//! # 5. Time limits and races
//!
//! [`Task::timeout`] bounds a part of a task; the step's own `timeout:` bounds all of it. [`future::select`] returns
//! the first of two futures to complete (example `04_timeout.rs`):
//!
//! ```
//! # use std::time::Duration;
//! # use stampede_plugin::{Outcome, Task, http::Request};
//! use stampede_plugin::future::{Either, select};
//!
//! async fn run(mirror: Request, other: Request, task: &Task) -> Outcome {
//!     let first = select(mirror.send(task), other.send(task));
//!     match task.timeout(Duration::from_secs(1), first).await? {
//!         // The other exchange is dropped here, which gives it up.
//!         Either::Left((reply, _)) | Either::Right((reply, _)) => reply.map(drop),
//!     }
//! }
//! ```
//!
//! # 6. Sockets
//!
//! A protocol that the host does not speak is implemented on byte streams (example `05_socket.rs`). The script grants
//! the plugin the hosts that it may connect to; the host resolves names, speaks TLS and keeps the time:
//!
//! ```
//! # use stampede_plugin::{Failure, Outcome, Task};
//! use stampede_plugin::socket::{Address, Socket};
//!
//! async fn run(address: &Address, task: &Task) -> Outcome {
//!     let socket = Socket::connect(task, address).await?;
//!     socket.write(task, b"PING\r\n").await?;
//!     match socket.read_until(task, b"\r\n", 512).await?.as_slice() {
//!         b"PONG\r\n" => Ok(()),
//!         other => Err(Failure::check(format!("expected `PONG`, got `{}`", other.escape_ascii()))),
//!     }
//! }
//! ```
//!
//! A protocol may begin in clear and go on over TLS ([`Socket::secure`](socket::Socket::secure), example
//! `08_starttls.rs`). The module [`socket`] describes bytes that arrive before a read asks for them, and sockets that
//! are dropped without being closed.
//!
//! # 7. Metrics
//!
//! The host measures exchanges. Anything else is a [`metric`] of the plugin, defined in `configure` (example
//! `06_metrics.rs`):
//!
//! ```
//! # use std::time::Duration;
//! # use stampede_plugin::{ConfigError, Task};
//! use stampede_plugin::metric::{Counter, Trend};
//!
//! struct Chat {
//!     messages: Counter,
//!     round_trip: Trend<Duration>,
//! }
//!
//! fn configure() -> Result<Chat, ConfigError> {
//!     Ok(Chat { messages: Counter::new("messages")?, round_trip: Trend::time("round_trip")? })
//! }
//!
//! fn received(chat: &Chat, sent: Duration, task: &Task) {
//!     chat.messages.add(task, 1);
//!     chat.round_trip.add(task, task.now() - sent);
//! }
//! ```
//!
//! A time includes what the task did in between, and so the wait for the user's turn under the script's rate limit,
//! which says nothing about the target. Wait for the turn before the first reading of the clock ([`Task::turn`]), or
//! take both from [`Task::active_time`] if the task needs several turns in between.
//!
//! # 8. Sessions that last
//!
//! A task of minutes, such as a viewer's, declares its length ([`lifetime`]), counts its kinds of requests in rows of
//! their own ([`http::ReportRow`]), looks at a transfer while it is under way ([`http::Transfer::progress`]), leaves
//! one without a failure, and settles when the user's time ends ([`Task::ending`]). Example `09_session.rs` does all of
//! it:
//!
//! ```
//! # use std::pin::pin;
//! # use stampede_plugin::{ConfigError, Failure, Outcome, Task};
//! use stampede_plugin::future::{Either, select};
//! use stampede_plugin::http::{DynamicRequest, ReportRow};
//!
//! struct Rows {
//!     segment: ReportRow,
//!     left: ReportRow,
//! }
//!
//! fn define() -> Result<Rows, ConfigError> {
//!     Ok(Rows { segment: ReportRow::new("segment")?, left: ReportRow::by_design("left")? })
//! }
//!
//! async fn watch(urls: &[String], rows: &Rows, task: &Task) -> Outcome {
//!     for url in urls {
//!         DynamicRequest::get(url).begin(task, rows.segment).left_in(rows.left).await?;
//!     }
//!     Ok(())
//! }
//!
//! async fn run(urls: &[String], rows: &Rows, task: &Task) -> Outcome {
//!     match select(pin!(watch(urls, rows, task)), task.ending()).await {
//!         Either::Left((outcome, _)) => outcome,
//!         // What is under way is left, in the row of that name.
//!         Either::Right(_) => Ok(()),
//!     }
//! }
//! ```
//!
//! # 9. State per user
//!
//! A [`PerUser`] holds a value for each user beyond the end of a task (example `07_per_user.rs`): for one step with
//! [`PerUser::new`], for all steps of the plugin with [`PerUser::shared`]. The SDK drops the value of a user who is
//! gone.
//!
//! ```
//! # use stampede_plugin::{Outcome, PerUser, Task, http::DynamicRequest};
//! struct Pages(PerUser<u32>);
//!
//! impl Pages {
//!     async fn run(&self, task: &Task) -> Outcome {
//!         let page = self.0.with(task, |page| {
//!             *page += 1;
//!             *page
//!         });
//!         DynamicRequest::get(format!("/page/{page}")).send(task).await.map(drop)
//!     }
//! }
//! ```
//!
//! # 10. The user
//!
//! [`Task::user`] is the virtual user: its variables, which later steps read with `{{var name}}`, the header fields
//! that its requests carry from now on, its own random stream.
//!
//! # 11. Tests
//!
//! On any target but WebAssembly the host is a fake that a unit test scripts, sockets and time included: see `testing`,
//! and the tests of each example.
//!
//! # 12. Rules and limits
//!
//! - Returning an `Err` fails the task. `?` on an exchange passes on a failure that the host found, such as a refused
//!   connection.
//! - A panic ends the instance: every task in flight in it fails, and the log gets the message and a backtrace.
//! - Never block and never compute for long; the host ends a call after 100 ms.
//! - The stack has 32 KiB, since every instance has its own (`-zstack-size` in `.cargo/config.toml`): overflowing it
//!   ends in a trap for memory out of bounds, which native tests do not show.
//! - Files, environment and the standard library's sockets are not available. Standard output goes to the log at level
//!   `debug`; [`log`] has all levels.
//!
//! # 13. Versions
//!
//! | this crate | contract | Rust, at least |
//! |---|---|---|
//! | 0.1.3 | 0.1.3 | 1.88 |
//! | 0.1.2 | 0.1.2 | 1.88 |
//! | 0.1.1 | 0.1.1 | 1.88 |
//! | 0.1.0 | 0.1.0 | 1.95 |
//!
//! A host runs plugins of every earlier contract of its own `0.x`. A host that is older than the contract of a plugin
//! rejects the plugin before the run and names that contract.

mod action;
mod bindings;
mod config_error;
mod executor;
mod failure;
mod fields;
pub mod file;
pub mod future;
#[doc(hidden)]
pub mod glue;
pub mod http;
mod json;
pub mod lifetime;
pub mod log;
pub mod metric;
mod operation;
pub mod parameters;
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
pub use operation::{Ending, Sleep, Turn};
pub use per_user::PerUser;
pub use task::Task;
pub use template::Template;
pub use timeout::TimedOut;
pub use user::User;

/// Exports a plugin of one or more [`Action`]s: `plugin!(Ping);` or `plugin!(Open, Send, Close);`. Use it once per
/// crate; the plugin has the name and version of the package. On other targets than WebAssembly it only checks the
/// types, so that tests link.
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

            // Where nothing is exported, this keeps the actions from being reported as dead code.
            #[cfg(not(target_arch = "wasm32"))]
            const _: &[$crate::glue::Offer] = <Component as $crate::glue::Plugin>::ACTIONS;
        };
    };
}
