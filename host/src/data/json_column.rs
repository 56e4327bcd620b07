//! Columns of JSON rows that the script puts at places in them, for rows with nested values.

use serde_json_path::JsonPath;

use crate::json_text;

/// A column of the rows of a file, by the place of its values in them.
#[derive(Clone, Debug)]
pub(super) struct JsonColumn {
    /// The name.
    pub(super) name: String,
    path: JsonPath,
}

impl JsonColumn {
    /// Parses the path.
    ///
    /// # Errors
    /// It is not a JSONPath (RFC 9535).
    pub(super) fn new(name: &str, path: &str) -> Result<Self, String> {
        let parsed = JsonPath::parse(path).map_err(|error| format!("`{path}` is not a JSONPath: {error}"))?;
        Ok(Self { name: name.to_owned(), path: parsed })
    }

    /// Returns the cell of a row: the text of the first value at the path, empty if it is `null`.
    ///
    /// # Errors
    /// The row has no value there.
    pub(super) fn cell(&self, row: &[u8]) -> Result<String, String> {
        let found = json_text::find(&self.path, row);
        found
            .map(Option::unwrap_or_default)
            .ok_or_else(|| format!("column `{}`: nothing at `{}`", self.name, self.path))
    }
}
