//! A compiled text: pieces that are appended one after the other.

use std::fmt;

use super::render::{Piece, ResolvedCall};
use super::scope::RenderContext;
use super::variables::VariableId;
use crate::data::{DataSets, RowBuffer};
use crate::diagnostic::Span;

/// A compiled text.
#[derive(Clone, PartialEq)]
pub struct Template {
    /// No two texts in a row, none empty.
    pub pieces: Box<[Piece]>,
    /// The variables it reads, and where it says so.
    pub variable_reads: Box<[(VariableId, Span)]>,
}

impl Template {
    /// The text, if it is the same for every user and every time: literals, `env`, and encodings of these.
    pub fn constant(&self) -> Option<&str> {
        match &*self.pieces {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// About how many bytes of memory a copy takes.
    pub fn memory_size(&self) -> usize {
        let text = |piece: &Piece| if let Piece::Text(text) = piece { text.len() } else { 0 };
        size_of::<Self>()
            + size_of_val(&*self.pieces)
            + size_of_val(&*self.variable_reads)
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
    pub fn variable_reads(&self) -> &[(VariableId, Span)] {
        &self.variable_reads
    }

    /// Whether the text changes in the life of one user: `var` and `iteration` do. What is drawn at random does not
    /// count: any draw is as good as another.
    pub fn varies_within_user(&self) -> bool {
        let follows =
            |piece: &Piece| matches!(piece, Piece::Call(ResolvedCall::Variable(_) | ResolvedCall::Iteration, _));
        self.pieces.iter().any(follows)
    }

    /// Whether a check holds for all texts from outside that a rendering may contain: what was typed, what comes from the
    /// environment, and every value that may be drawn from the data sets, encoded as the template says. The values of
    /// variables are not known here.
    pub fn all_inputs_satisfy(&self, data: &DataSets, check: impl Fn(&str) -> bool) -> bool {
        self.pieces.iter().all(|piece| match piece {
            Piece::Text(text) => check(text),
            Piece::Call(ResolvedCall::Cell { set, column, .. }, encodings) => {
                let (set, mut buffer) = (data.set(*set), RowBuffer::with_read_ahead());
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
    pub fn render(&self, values: &mut RenderContext<'_>, out: &mut String) {
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
