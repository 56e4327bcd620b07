//! The script or the URL that a run is for: the first argument of the command line, or a flag's value.

use std::path::Path;

use super::run::RunArgs;

impl RunArgs {
    /// Returns the path of the script that was named, or the URL: the first argument, or else the flag's value.
    pub fn script_or_url(&self) -> Option<&Path> {
        self.source.as_deref().or(self.script.as_deref())
    }

    /// Returns the URL, if one was named instead of a script.
    pub fn url(&self) -> Option<&str> {
        let text = self.source.as_deref()?.to_str()?;
        let (scheme, _) = text.split_once("://")?;
        ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(text)
    }
}
