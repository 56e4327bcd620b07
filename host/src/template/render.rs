//! Rendering of compiled templates, on the path of every request: it allocates nothing but what the output's growth
//! takes.

use std::fmt::{Display, Write as _};

use super::draw::Draw;
use super::row_cursors::RowShortage;
use super::scope::RenderContext;
use super::variables::VariableId;
use crate::data::DataId;

/// A function that appends the text of a helper without arguments.
pub(super) type Render = fn(&mut RenderContext<'_>, &mut String);
/// A function that appends the text of a helper for one integer.
pub(super) type IntegerRender = fn(i64, &mut RenderContext<'_>, &mut String);
/// A function that appends the text of a helper for two integers.
pub(super) type IntegersRender = fn(i64, i64, &mut RenderContext<'_>, &mut String);
/// A function that appends the text of a helper for two numbers.
pub(super) type NumbersRender = fn(f64, f64, &mut RenderContext<'_>, &mut String);
/// A function that appends a text in another encoding.
pub(super) type Encode = fn(&str, &mut String);

/// A part of a compiled template.
#[derive(Clone)]
pub enum Piece {
    /// Text known at compile time.
    Text(Box<str>),
    /// Text that differs from one rendering to the next, and its encodings, innermost first.
    Call(ResolvedCall, Vec<Encode>),
}

/// A helper with its arguments resolved and checked: the function to call, and what to call it with.
#[derive(Clone)]
pub enum ResolvedCall {
    /// A helper without arguments.
    Plain(Render),
    /// A helper with an integer.
    Integer(IntegerRender, i64),
    /// A helper with two integers.
    Integers(IntegersRender, i64, i64),
    /// A helper with two numbers.
    Numbers(NumbersRender, f64, f64),
    /// A cell of a drawn row.
    Cell { draw: Draw, set: DataId, column: usize },
    /// A user's variable; nothing while it is not set.
    Variable(VariableId),
}

impl Piece {
    /// Appends the piece's text.
    pub fn render(&self, values: &mut RenderContext<'_>, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Call(call, encodings) if encodings.is_empty() => call.render(values, out),
            Self::Call(call, encodings) => {
                let mut scratch = std::mem::take(&mut values.scratch.text);
                call.render_encoded(encodings, values, out, &mut scratch);
                values.scratch.text = scratch;
            }
        }
    }

    /// Encodes the piece's text, at once if it is known.
    pub fn encoded(self, encoding: Encode) -> Self {
        match self {
            Self::Text(plain) => {
                let mut text = String::new();
                encoding(&plain, &mut text);
                Self::Text(text.into())
            }
            Self::Call(call, mut encodings) => {
                encodings.push(encoding);
                Self::Call(call, encodings)
            }
        }
    }
}

impl ResolvedCall {
    /// Appends the encoded text. The input of the last encoding is first put at the end of `spare` and then removed;
    /// one level further in, the two buffers change places, so that no depth needs a third.
    fn render_encoded(
        &self,
        encodings: &[Encode],
        values: &mut RenderContext<'_>,
        out: &mut String,
        spare: &mut String,
    ) {
        let Some((last, inner)) = encodings.split_last() else {
            return self.render(values, out);
        };
        let start = spare.len();
        self.render_encoded(inner, values, spare, out);
        last(&spare[start..], out);
        spare.truncate(start);
    }

    /// Appends the text.
    fn render(&self, values: &mut RenderContext<'_>, out: &mut String) {
        match self {
            Self::Plain(render) => render(values, out),
            Self::Integer(render, argument) => render(*argument, values, out),
            Self::Integers(render, first, second) => render(*first, *second, values, out),
            Self::Numbers(render, first, second) => render(*first, *second, values, out),
            Self::Cell { draw, set, column } => {
                if let Some(row) = draw.row(*set, values)
                    && values.data.set(*set).append(row, *column, &mut values.scratch.row, out).is_err()
                {
                    values.rows.record_shortage(RowShortage::Unreadable(*set));
                }
            }
            Self::Variable(id) => out.push_str(values.variables.get(*id).unwrap_or_default()),
        }
    }
}

/// Appends a whole number.
pub(super) fn integer(value: impl itoa::Integer, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends a value. Writing to a string fails only if formatting the value does; no number fails, nor a time before
/// the year 10000.
pub(super) fn display(value: impl Display, out: &mut String) {
    let _ = write!(out, "{value}");
}
