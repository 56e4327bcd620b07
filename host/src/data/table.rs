//! Rows, stored compactly: one string of all cells, and the offset at which each cell ends. A `String` per cell would
//! cost 24 bytes and an allocation each, which for short ids is several times their text.

use std::fmt;

/// The rows of one data set. A plain list has one unnamed column.
#[derive(PartialEq, Eq)]
pub struct Table {
    /// Names of the columns; empty for a plain list.
    columns: Vec<String>,
    /// All cells, row by row, without separators.
    text: String,
    /// The end of each cell: the byte of `text` behind its last.
    ends: Vec<usize>,
}

impl Table {
    /// Creates a plain list without rows.
    pub fn list() -> Self {
        Self { columns: Vec::new(), text: String::new(), ends: Vec::new() }
    }

    /// Creates a table without rows. Columns without a name (a trailing comma in every line of a CSV file) cannot be
    /// drawn from and are ignored.
    ///
    /// # Errors
    /// A name occurs twice, so that a column could not be selected by it.
    pub fn with_columns(columns: Vec<String>) -> Result<Self, String> {
        let repeated = |(at, name): &(usize, &String)| !name.is_empty() && columns[..*at].contains(name);
        if let Some((_, name)) = columns.iter().enumerate().find(repeated) {
            return Err(format!("column `{name}` occurs twice"));
        }
        Ok(Self { columns, ..Self::list() })
    }

    /// Adds a row, which must have a cell for each column.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for cell in cells {
            self.text.push_str(cell);
            self.ends.push(self.text.len());
        }
        debug_assert_eq!(self.ends.len() % self.width(), 0, "a row is whole");
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.ends.len() / self.width()
    }

    /// Returns the names of the columns in their order; empty for a plain list.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the names of the columns, and drops the rows.
    pub(super) fn into_columns(self) -> Vec<String> {
        self.columns
    }

    /// Returns one cell; a plain list has column 0 only.
    ///
    /// # Panics
    /// Panics if row or column is out of range.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.width() + column;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }

    /// Frees memory that was reserved and not used.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Returns the number of cells per row, at least 1.
    fn width(&self) -> usize {
        self.columns.len().max(1)
    }
}

/// Collects a plain list.
impl<'a> FromIterator<&'a str> for Table {
    fn from_iter<I: IntoIterator<Item = &'a str>>(rows: I) -> Self {
        let mut table = Self::list();
        table.push(rows);
        table
    }
}

/// Shows columns and size only: rows may hold passwords.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("columns", &self.columns).field("rows", &self.rows()).finish_non_exhaustive()
    }
}

/// A builder of a table from rows that are either plain values or records of named values. The first row decides which,
/// and which columns there are; all others must agree, in any order of the names.
#[derive(Default)]
pub(super) struct TableBuilder(Option<Table>);

impl TableBuilder {
    /// Adds a plain value.
    pub(super) fn value(&mut self, value: &str) -> Result<(), String> {
        let table = self.0.get_or_insert_with(Table::list);
        if !table.columns.is_empty() {
            return Err("a plain value among rows with columns".to_owned());
        }
        table.push([value]);
        Ok(())
    }

    /// Adds a record.
    pub(super) fn record(&mut self, fields: &[(String, String)]) -> Result<(), String> {
        if fields.is_empty() {
            return Err("a row without columns".to_owned());
        }
        let names = || fields.iter().map(|(name, _)| name.clone()).collect();
        let mut table = match self.0.take() {
            Some(table) => table,
            None => Table::with_columns(names())?,
        };
        let result = push_record(&mut table, fields);
        self.0 = Some(table);
        result
    }

    /// Keeps only the columns, against which the next rows are checked.
    pub(super) fn forget_rows(&mut self) {
        if let Some(table) = &mut self.0 {
            table.text.clear();
            table.ends.clear();
        }
    }

    /// Returns the table; a plain list without rows if nothing was added.
    pub(super) fn finish(self) -> Table {
        self.0.unwrap_or_else(Table::list)
    }
}

/// Adds a record to a table whose columns are known.
fn push_record(table: &mut Table, fields: &[(String, String)]) -> Result<(), String> {
    if table.columns.is_empty() {
        return Err("a row with columns among plain values".to_owned());
    }
    if let Some((name, _)) = fields.iter().find(|(name, _)| !table.columns.contains(name)) {
        return Err(format!("column `{name}` is not one of the first row"));
    }
    if fields.len() > table.columns.len() {
        return Err("a column occurs twice".to_owned());
    }
    let find = |column: &String| {
        let field = fields.iter().find(|(name, _)| name == column);
        field.map(|(_, value)| value.as_str()).ok_or_else(|| format!("column `{column}` is missing"))
    };
    let cells = table.columns.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    table.push(cells);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn cells_come_back_as_they_went_in() {
        let mut table = Table::with_columns(vec!["a".into(), "b".into()]).unwrap();
        table.push(["1", ""]);
        table.push(["", "ü"]);
        assert_eq!(table.rows(), 2);
        let cells = [table.cell(0, 0), table.cell(0, 1), table.cell(1, 0), table.cell(1, 1)];
        assert_eq!(cells, ["1", "", "", "ü"]);
    }

    #[test]
    fn named_columns_must_differ_and_unnamed_ones_need_not() {
        let columns = |names: &[&str]| Table::with_columns(names.iter().map(|name| name.to_string()).collect());
        assert_eq!(columns(&["a", "b", "a"]).unwrap_err(), "column `a` occurs twice");
        assert!(columns(&["a", "", ""]).is_ok());
    }

    #[test]
    fn records_may_give_their_columns_in_any_order() {
        let mut rows = TableBuilder::default();
        rows.record(&record(&[("a", "1"), ("b", "2")])).unwrap();
        rows.record(&record(&[("b", "4"), ("a", "3")])).unwrap();
        let table = rows.finish();
        assert_eq!((table.cell(1, 0), table.cell(1, 1)), ("3", "4"));
    }

    #[test]
    fn rows_that_disagree_with_the_first_are_rejected() {
        let first = record(&[("a", "1"), ("b", "2")]);
        let cases = [
            ("a column too few", record(&[("a", "1")]), "column `b` is missing"),
            ("another column", record(&[("a", "1"), ("c", "2")]), "column `c` is not one of the first row"),
            ("one twice", record(&[("a", "1"), ("b", "2"), ("a", "3")]), "a column occurs twice"),
            ("none at all", record(&[]), "a row without columns"),
        ];
        for (case, fields, message) in cases {
            let mut rows = TableBuilder::default();
            rows.record(&first).unwrap();
            assert_eq!(rows.record(&fields).unwrap_err(), message, "{case}");
            assert_eq!(rows.finish().rows(), 1, "{case}: nothing half-added");
        }
    }

    #[test]
    fn values_and_records_do_not_mix() {
        let mut rows = TableBuilder::default();
        rows.value("x").unwrap();
        assert_eq!(rows.record(&record(&[("a", "1")])).unwrap_err(), "a row with columns among plain values");
        let mut rows = TableBuilder::default();
        rows.record(&record(&[("a", "1")])).unwrap();
        assert_eq!(rows.value("x").unwrap_err(), "a plain value among rows with columns");
    }

    #[test]
    fn debug_shows_no_cell() {
        let table: Table = ["hunter2"].into_iter().collect();
        assert_eq!(format!("{table:?}"), "Table { columns: [], rows: 1, .. }");
    }
}
