//! Text with `{{helper arguments}}` in it: compiled once, rendered for every request. Every error in a template is
//! found before the run; rendering cannot fail, takes no lock and allocates nothing of its own.
//!
//! ```text
//! text ──parse──▶ segments with spans ──compile (names become numbers)──▶ Template ──render──▶ text
//! ```
//! [`helpers()`] is the table of what may stand between the braces: the compiler, its messages and the reference read
//! it.

mod arguments;
mod compile;
mod compiled;
mod draw;
mod encoding;
mod environment;
mod environment_names;
mod error;
mod helpers;
mod parse;
mod permutation;
mod render;
mod resolve;
mod row_cursors;
mod row_sequence;
mod scope;
mod variables;

pub use compiled::Template;
pub use environment::Environment;
pub use environment_names::environment_names;
pub use error::TemplateError;
pub use helpers::{
    EXAMPLES, Helper, HelperExample, HelperKind, ParameterKind, Referent, Variation, helpers, reference,
};
pub use row_cursors::{RowCursors, RowShortage};
pub use scope::{CompileScope, RenderContext, RenderScratch};
pub use variables::{VariableId, VariableNames, Variables};

#[cfg(test)]
mod tests;
