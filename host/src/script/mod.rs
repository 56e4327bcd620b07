//! Scripts as typed: parses the text of a script into a [`model::Script`], or returns all errors of the file.
//!
//! | stage | files | they know |
//! |---|---|---|
//! | text to tree | `yaml`, `raw`, `yaml_error` | YAML |
//! | tree to script | `decode`, and a file for each part of a script; `value_reader` | the keys of a script |
//! | texts in it | `threshold_syntax`, `duration`, `bit_rate`, `stage`, `header` | small grammars |
//! | the result | `model`, `step_spec`, `flow_items`, `spanned`, `outcome` | types only |
//! | for editors | `schema` | the same keys, as a JSON Schema |
//! | pointing back | `node`, `span` | the place of a value in the text |
//!
//! Nothing here applies a default, opens a file or asks a plugin; the plan does.

pub(crate) mod bit_rate;
mod block;
mod checks;
mod data;
pub(crate) mod decode;
pub(crate) mod duration;
mod flow_items;
pub(crate) mod header;
mod link;
mod load;
pub mod model;
mod node;
pub(crate) mod outcome;
mod parse;
mod plugin;
mod raw;
pub(crate) mod repetition;
mod scenario;
mod schema;
mod span;
mod spanned;
pub(crate) mod stage;
mod step;
mod step_spec;
pub(crate) mod threshold_syntax;
mod thresholds;
pub(crate) mod value_reader;
pub(crate) mod yaml;
mod yaml_error;

pub use block::parse_included;
pub use parse::parse;
pub use schema::SCHEMA;
pub use span::span_within;
pub use spanned::value_of;
pub use step::{KEYS as STEP_KEYS, LOGIN_KEYS};
pub use thresholds::threshold_flag;
pub use value_reader::is_name;
