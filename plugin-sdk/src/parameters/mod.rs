//! Parameters that several actions share, so that scripts write them in one way.
//!
//! Each type is for a field of an action's [`Params`](crate::Action::Params): it reads its forms, rejects others with a
//! message that names its own, and generates its part of the schema. The built-in actions use these types too.
//!
//! | type | in a script | feature |
//! |---|---|---|
//! | [`Auth`] | `{basic: {user: …, password: …}}` or `{bearer: …}` | |
//! | [`BodyParameters`] | one of `json_body`, `form_body`, `body` and `body_file` | |
//! | [`ExpectStatus`] | `201`, `2xx`, or a list of these | |
//! | [`HttpVersion`] | `1.1`, `2` or `auto` | |
//! | `TimeSpan` | `500ms` | `time-span` |
//! | `Payload` | hexadecimal digits or base64 | `base64` |
//! | `Pattern` | a regular expression | `regex` |
//! | `Search` | a text, `{contains: …}` or `{regex: …}` | `regex` |
//! | `JsonPath` | a JSONPath | `json-path` |
//! | `Save` | `{name: {json: …}}` or `{name: {regex: …}}` | `json-path` and `regex` |
//!
//! A type that needs a further crate is behind a feature, off by default. [`text_or_mapping()`] helps to write
//! parameters of your own that are a text in the usual case and a mapping otherwise. [`Template`](crate::Template),
//! [`Fields`](crate::Fields) and [`JsonTemplate`](crate::JsonTemplate) are at the root of the crate.
//!
//! ```
//! use stampede_plugin::http::{Options, Reply, Request};
//! use stampede_plugin::parameters::{ExpectStatus, HttpVersion};
//! use stampede_plugin::{ConfigError, Failure, Outcome, Template};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Params {
//!     /// The URL to fetch.
//!     url: Template,
//!     /// The status codes to accept; from 200 to 399 if absent.
//!     #[serde(default)]
//!     expect_status: ExpectStatus,
//!     /// `1.1`, `2` or `auto`; `auto` if absent.
//!     #[serde(default)]
//!     http_version: HttpVersion,
//! }
//!
//! fn prepare(params: &Params) -> Result<Request, ConfigError> {
//!     let options = Options { version: params.http_version.0, ..Options::default() };
//!     Request::get(params.url).options(options).prepare()
//! }
//!
//! fn check(params: &Params, reply: &Reply<'_>) -> Outcome {
//!     if params.expect_status.accepts(reply.status) {
//!         return Ok(());
//!     }
//!     Err(Failure::status(format!("expected status {}, got {}", params.expect_status, reply.status)))
//! }
//! ```

mod auth;
mod body;
mod expect_status;
mod http_version;
#[cfg(feature = "json-path")]
mod json_path;
pub(crate) mod parse;
#[cfg(feature = "regex")]
mod pattern;
#[cfg(feature = "base64")]
mod payload;
#[cfg(all(feature = "json-path", feature = "regex"))]
mod save;
#[cfg(feature = "regex")]
mod search;
mod text_or_mapping;
#[cfg(feature = "time-span")]
mod time_span;

pub use auth::Auth;
pub use body::BodyParameters;
pub use expect_status::ExpectStatus;
pub use http_version::HttpVersion;
#[cfg(feature = "json-path")]
pub use json_path::{JsonPath, parse_document};
#[cfg(feature = "regex")]
pub use pattern::Pattern;
#[cfg(feature = "base64")]
pub use payload::{Notation, Payload};
#[cfg(all(feature = "json-path", feature = "regex"))]
pub use save::Save;
#[cfg(feature = "regex")]
pub use search::Search;
pub use text_or_mapping::text_or_mapping;
#[cfg(feature = "time-span")]
pub use time_span::TimeSpan;
