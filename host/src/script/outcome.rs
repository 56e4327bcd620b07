//! `outcome`: a selection of requests by how they ended. Thresholds take it as a tag, and reports as a flag.

use serde::{Deserialize, Serialize};

/// The requests whose times are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeFilter {
    /// All requests.
    #[default]
    All,
    /// Requests without a failure.
    Ok,
    /// Requests with a failure, those that were cut off included.
    Failed,
}

impl OutcomeFilter {
    /// The names on the command line and in reports.
    pub const NAMES: [(&str, Self); 3] = [("ok", Self::Ok), ("failed", Self::Failed), ("all", Self::All)];

    /// Returns the value of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// Returns the word that stands before what is of these requests alone, with `gap` after it; empty for all.
    pub fn prefix(self, gap: &str) -> String {
        match self {
            Self::All => String::new(),
            Self::Ok => format!("ok{gap}"),
            Self::Failed => format!("failed{gap}"),
        }
    }
}
