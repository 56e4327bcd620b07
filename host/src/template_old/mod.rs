//! Text with `{{helper arguments}}` in it: compiled once, rendered for every request. All that can be wrong with a
//! template is found before the run; rendering can't fail, takes no lock and allocates nothing of its own.
//!
//! ```text
//! text ──parse──▶ segments with spans ──compile (names become numbers)──▶ Template ──render──▶ text
//! ```
//! [`helpers()`] is the one table of what may stand between the braces: the compiler, its messages and the
//! documentation read it.

mod arguments;
mod compile;
mod compiled;
mod draw;
mod encoding;
mod environment;
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
pub use environment::{Environment, environment_names};
pub use error::TemplateError;
pub use helpers::{Helper, ParameterKind, helpers};
pub use row_cursors::{RowCursors, RowShortage};
pub use scope::{CompileScope, RenderContext, RenderScratch};
pub use variables::{VariableId, VariableNames, Variables};

#[cfg(test)]
mod tests;
