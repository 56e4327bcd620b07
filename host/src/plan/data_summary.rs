//! The lines of `check` about data sets. A wrong separator or a lost quote shows in the number of rows, the columns and
//! the first row.

use std::fmt::Write as _;

use crate::data::{DataSet, RowBuffer};
use crate::load_model::phrases::count;
use crate::secrets::Secrets;
use crate::text::one_line;

/// Maximum number of characters of a cell that are shown.
const MAX_CELL_CHARS: usize = 40;
/// Maximum number of columns that are shown.
const MAX_COLUMNS: usize = 12;

/// Describes a data set in a sentence, without its secrets.
pub(super) fn data_summary(set: &DataSet, secrets: &Secrets) -> String {
    let rows = count(set.rows() as u64, "row");
    let mut text = format!("Data set {} has {rows}", set.name());
    let cells = (0..set.columns().len().max(1)).map(|column| first_cell(set, column, secrets));
    match set.columns() {
        [] => cells.for_each(|cell| text += &format!("; the first is `{cell}`")),
        columns => {
            let _ = write!(text, " of {}; the first has", count(columns.len() as u64, "column"));
            for (index, (column, cell)) in columns.iter().zip(cells).take(MAX_COLUMNS).enumerate() {
                let comma = if index > 0 { "," } else { "" };
                let _ = write!(text, "{comma} {} `{cell}`", one_line(column));
            }
            if columns.len() > MAX_COLUMNS {
                text += ", …";
            }
        }
    }
    text + "."
}

/// Returns a cell of the first row on one line, shortened.
fn first_cell(set: &DataSet, column: usize, secrets: &Secrets) -> String {
    if set.secret_columns().contains(&column) {
        return "***".into();
    }
    let mut cell = String::new();
    // A file that has changed since it was read is an error of the run.
    let _ = set.append(0, column, &mut RowBuffer::default(), &mut cell);
    let line = one_line(&secrets.excerpt(&cell, &[]));
    let short: String = line.chars().take(MAX_CELL_CHARS).collect();
    if short.len() < line.len() { short + "…" } else { line }
}
