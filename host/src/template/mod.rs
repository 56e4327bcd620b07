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
mod deal;
mod encode;
mod environment;
mod helpers;
mod parse;
mod permutation;
mod random;
mod render;
mod resolve;
mod rows;
mod scope;
mod variables;

use std::fmt;

pub use environment::{Environment, environment_names};
pub use helpers::{Definition, Kind, helpers};
pub use random::UserRandom;
pub use rows::{Rows, Shortage};
pub use scope::{Scope, Scratch, Values};
pub use variables::{VariableId, VariableNames, Variables};

use crate::diagnostic::Span;
use crate::plan::data::{DataSets, RowBuffer};
use render::{Call, Piece};

/// A compiled text.
#[derive(Clone, PartialEq)]
pub struct Template {
    /// No two texts in a row, none empty.
    pieces: Box<[Piece]>,
    reads: Box<[(VariableId, Span)]>,
}

impl Template {
    /// Compiles a text. One without `{{` is a template of itself.
    pub fn compile(source: &str, scope: &mut Scope<'_>) -> Result<Self, TemplateError> {
        compile::compile(source, scope)
    }

    /// The text, if it is the same for every user and every time: literals, `env`, and encodings of these.
    pub fn constant(&self) -> Option<&str> {
        match &*self.pieces {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// About how many bytes of memory a copy takes.
    pub fn bytes(&self) -> usize {
        let text = |piece: &Piece| if let Piece::Text(text) = piece { text.len() } else { 0 };
        size_of::<Self>()
            + size_of_val(&*self.pieces)
            + size_of_val(&*self.reads)
            + self.pieces.iter().map(text).sum::<usize>()
    }

    /// The text that every rendering begins with.
    pub fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The variables that `var` reads and where it says so, in bytes of the source. Whether anything sets them is not
    /// known here.
    pub fn reads(&self) -> &[(VariableId, Span)] {
        &self.reads
    }

    /// Whether the text changes in the life of one user: `var` and `iteration` do. What is drawn at random does not
    /// count: any draw is as good as another.
    pub fn follows_the_user(&self) -> bool {
        let follows = |piece: &Piece| matches!(piece, Piece::Call(Call::Variable(_) | Call::Iteration, _));
        self.pieces.iter().any(follows)
    }

    /// Whether a check holds for all texts from outside that a rendering may contain: what was typed, what comes from the
    /// environment, and every value that may be drawn from the data sets, encoded as the template says. The values of
    /// variables are not known here.
    pub fn all_texts(&self, data: &DataSets, check: impl Fn(&str) -> bool) -> bool {
        self.pieces.iter().all(|piece| match piece {
            Piece::Text(text) => check(text),
            Piece::Call(Call::Cell { set, column, .. }, encodings) => {
                let (set, mut buffer) = (data.set(*set), RowBuffer::ahead());
                (0..set.rows()).all(|row| {
                    let mut cell = String::new();
                    // A file that changes meanwhile is noticed when the row is drawn.
                    let _ = set.append(row, *column, &mut buffer, &mut cell);
                    let cell = Piece::Text(cell.into());
                    let cell = encodings.iter().fold(cell, |cell, encoding| cell.encoded(*encoding));
                    matches!(cell, Piece::Text(text) if check(&text))
                })
            }
            Piece::Call(..) => true,
        })
    }

    /// Appends the text for one user at one moment. `values` must belong to the scope of [`Template::compile`]. Every
    /// call draws anew from the user's random stream; a variable that is not set renders as nothing, and so does a row
    /// that is not to be had: the user's [`Rows`] know of it.
    pub fn render(&self, values: &mut Values<'_>, out: &mut String) {
        for piece in &self.pieces {
            piece.render(values, out);
        }
    }
}

/// The shape, and no text: one may come from `env` and be a secret.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("pieces", &self.pieces.len()).finish_non_exhaustive()
    }
}

/// Why a text is no template. The first mistake only: what follows one is often its echo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong, in the grammar of a [`Diagnostic`](crate::diagnostic::Diagnostic).
    pub message: String,
    /// How to put it right, if known.
    pub help: Option<String>,
    /// Where, in bytes of the template's source.
    pub span: Span,
}

impl TemplateError {
    /// Says how to put it right.
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests;
