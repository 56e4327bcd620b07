//! A compiled text: pieces that are appended one after the other.

use std::fmt;

use super::render::{Piece, ResolvedCall};
use super::scope::RenderContext;
use crate::data::{DataSets, RowBuffer};
use crate::diagnostic::Span;

/// A compiled text.
#[derive(Clone)]
pub struct Template {
    /// The pieces: no two texts in a row, none empty.
    pub pieces: Box<[Piece]>,
    /// The place of the first call that varies per step, in bytes of the source.
    pub varying_call: Option<Span>,
}

impl Template {
    /// Returns the text, if it is the same for every user and every time: literals, `env`, and encodings of these.
    pub fn constant(&self) -> Option<&str> {
        match &*self.pieces {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the approximate memory of a copy, in bytes.
    pub fn memory_size(&self) -> usize {
        let text = |piece: &Piece| if let Piece::Text(text) = piece { text.len() } else { 0 };
        size_of::<Self>() + size_of_val(&*self.pieces) + self.pieces.iter().map(text).sum::<usize>()
    }

    /// Returns the text that every rendering begins with.
    pub fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// Iterates over the texts that are the same in every rendering.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts().flatten()
    }

    /// Iterates over the parts in order: a text that is the same in every rendering, `None` for one that is not.
    pub fn parts(&self) -> impl Iterator<Item = Option<&str>> {
        self.pieces.iter().map(|piece| if let Piece::Text(text) = piece { Some(&**text) } else { None })
    }

    /// Iterates over the parts that are not the same in every rendering, so that they can be rendered one by one.
    pub fn calls(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Call(..)))
    }

    /// Returns the text with `rendered` in place of each part that is not the same in every rendering.
    pub fn outline(&self, rendered: &str) -> String {
        let parts = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => &**text,
            Piece::Call(..) => rendered,
        });
        parts.collect()
    }

    /// Returns the text of a rendering with the first row of each data set, in which `1` stands for what is drawn at
    /// random or follows the user; `None` if the template reads variables.
    pub fn sample(&self, data: &DataSets) -> Option<String> {
        let mut buffer = RowBuffer::default();
        let mut sample = String::new();
        for piece in &self.pieces {
            let (text, encodings) = match piece {
                Piece::Text(text) => (String::from(&**text), &[][..]),
                Piece::Call(ResolvedCall::Variable(_), _) => return None,
                Piece::Call(ResolvedCall::Cell { set, column, .. }, encodings) => {
                    let mut cell = String::new();
                    data.set(*set).append(0, *column, &mut buffer, &mut cell).ok()?;
                    (cell, &encodings[..])
                }
                Piece::Call(_, encodings) => ("1".to_owned(), &encodings[..]),
            };
            sample += &encodings.iter().fold(text, |text, encode| {
                let mut encoded = String::new();
                encode(&text, &mut encoded);
                encoded
            });
        }
        Some(sample)
    }

    /// Returns a template without the blanks that every rendering begins or ends with.
    pub fn trimmed(mut self) -> Self {
        if let Some(Piece::Text(text)) = self.pieces.first_mut() {
            *text = text.trim_start().into();
        }
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            *text = text.trim_end().into();
        }
        self
    }

    /// Returns the place of the first call whose text follows what the user does: its helper varies
    /// [per step](super::helpers::Variation::PerStep), or it draws the row of the iteration. A text that is drawn at
    /// random does not: one draw is as good as another.
    pub const fn varying_call(&self) -> Option<Span> {
        self.varying_call
    }

    /// Returns `true` if a check holds for every text from outside that a rendering may contain: literals, values of
    /// the environment, and every value that may be drawn from the data sets, encoded as the template says. The values
    /// of variables are not known yet.
    pub fn all_inputs_satisfy(&self, data: &DataSets, check: impl Fn(&str) -> bool) -> bool {
        self.pieces.iter().all(|piece| match piece {
            Piece::Text(text) => check(text),
            Piece::Call(ResolvedCall::Cell { set, column, .. }, encodings) => {
                let (set, mut buffer) = (data.set(*set), RowBuffer::with_read_ahead());
                (0..set.rows()).all(|row| {
                    let mut cell = String::new();
                    // If the file changes meanwhile, drawing the row notices it.
                    let _ = set.append(row, *column, &mut buffer, &mut cell);
                    let cell = Piece::Text(cell.into());
                    let cell = encodings.iter().fold(cell, |cell, encode| cell.encoded(*encode));
                    matches!(cell, Piece::Text(text) if check(&text))
                })
            }
            Piece::Call(..) => true,
        })
    }

    /// Appends the text for one user at one moment. `values` must belong to the scope of [`Template::compile`]. Every
    /// call draws new values from the user's random stream. A variable that is not set renders as nothing, and so does
    /// a row that is missing, which the user's [`RowCursors`](super::RowCursors) record.
    pub fn render(&self, values: &mut RenderContext<'_>, out: &mut String) {
        for piece in &self.pieces {
            piece.render(values, out);
        }
    }
}

/// Shows the number of pieces and no text: one may come from `env` and be a secret.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("pieces", &self.pieces.len()).finish_non_exhaustive()
    }
}
