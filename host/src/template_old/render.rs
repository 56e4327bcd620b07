//! Compiled templates as text, on the hot path: nothing is allocated but what the output's growth takes.

use std::fmt::{Display, Write as _};
use std::time::UNIX_EPOCH;

use super::draw::Draw;
use super::encoding::Encoding;
use super::row_cursors::RowShortage;
use super::scope::RenderContext;
use super::variables::VariableId;
use crate::data::DataId;

/// A part of a compiled template.
#[derive(Clone, PartialEq)]
pub enum Piece {
    /// Text known at compile time.
    Text(Box<str>),
    /// Text that differs from one rendering to the next, and how it is encoded, innermost first.
    Call(ResolvedCall, Vec<Encoding>),
}

/// A helper with its arguments resolved and checked.
#[derive(Clone, PartialEq)]
pub enum ResolvedCall {
    /// Both ends included, `low <= high`.
    RandInt { low: i64, high: i64 },
    /// `high` excluded, `low < high`, both finite.
    RandFloat { low: f64, high: f64 },
    /// That many letters and digits.
    RandString(u32),
    /// A cell of a drawn row.
    Cell { draw: Draw, set: DataId, column: usize },
    /// A random UUID.
    Uuid,
    /// Since 1970-01-01 UTC.
    EpochMilliseconds,
    /// Since 1970-01-01 UTC, rounded down.
    EpochSeconds,
    /// RFC 3339 in UTC, with milliseconds.
    IsoNow,
    /// From 0.
    UserId,
    /// From 0.
    Iteration,
    /// Nothing while it is not set.
    Variable(VariableId),
}

impl Piece {
    /// Appends the text.
    pub fn render(&self, values: &mut RenderContext<'_>, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Call(call, encodings) => {
                let mut scratch = std::mem::take(&mut values.scratch.text);
                call.render_encoded(encodings, values, out, &mut scratch);
                values.scratch.text = scratch;
            }
        }
    }

    /// The piece with its text encoded, at once if it is known.
    pub fn encoded(self, encoding: Encoding) -> Self {
        match self {
            Self::Text(plain) => {
                let mut text = String::new();
                encoding.append(&plain, &mut text);
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
    /// Appends the encoded text. What is encoded last is first put at the end of `spare` and taken off again; one level
    /// further in the two buffers change places, so that any depth needs no third.
    fn render_encoded(
        &self,
        encodings: &[Encoding],
        values: &mut RenderContext<'_>,
        out: &mut String,
        spare: &mut String,
    ) {
        let Some((last, inner)) = encodings.split_last() else {
            return self.render(values, out);
        };
        let start = spare.len();
        self.render_encoded(inner, values, spare, out);
        last.append(&spare[start..], out);
        spare.truncate(start);
    }

    /// Appends the text.
    fn render(&self, values: &mut RenderContext<'_>, out: &mut String) {
        match self {
            Self::RandInt { low, high } => display(values.random.integer(*low, *high), out),
            Self::RandFloat { low, high } => display(values.random.float(*low, *high), out),
            Self::RandString(length) => values.random.alphanumeric(*length, out),
            Self::Cell { draw, set, column } => {
                if let Some(row) = draw.row(*set, values)
                    && values.data.set(*set).append(row, *column, &mut values.scratch.row, out).is_err()
                {
                    values.rows.record_shortage(RowShortage::Unreadable(*set));
                }
            }
            Self::Uuid => {
                out.push_str(values.random.uuid().hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
            }
            Self::EpochMilliseconds => display(values.wall_clock.as_millis(), out),
            Self::EpochSeconds => display(values.wall_clock.as_secs(), out),
            Self::IsoNow => display(humantime::format_rfc3339_millis(UNIX_EPOCH + values.wall_clock), out),
            Self::UserId => display(values.user, out),
            Self::Iteration => display(values.iteration, out),
            Self::Variable(id) => out.push_str(values.variables.get(*id).unwrap_or_default()),
        }
    }
}

/// Writing to a string fails only for what refuses to be shown; no number does, nor a time before the year 10000.
fn display(value: impl Display, out: &mut String) {
    let _ = write!(out, "{value}");
}
