//! The names of runs and nodes. They are parts of subjects and keys, so they consist of characters that NATS allows in
//! both, and of no others.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name, in bytes.
pub const MAX_NAME: usize = 64;

/// The name of a run of a fleet, which all its machines are given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(Arc<str>);

/// The name of one process that carries out a part of a run. A process that is started again has another name, even if
/// it has the same machine and the same segment: it does not know what the one before has counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(Arc<str>);

/// The reason why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError(String);

impl RunId {
    /// Checks a name: 1 to 64 of the characters `a-z`, `A-Z`, `0-9`, `-` and `_`.
    ///
    /// # Errors
    /// The text has other characters, none, or more than 64.
    pub fn new(text: &str) -> Result<Self, NameError> {
        checked(text).map(Self)
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NodeName {
    /// Checks a name: 1 to 64 of the characters `a-z`, `A-Z`, `0-9`, `-` and `_`.
    ///
    /// # Errors
    /// The text has other characters, none, or more than 64.
    pub fn new(text: &str) -> Result<Self, NameError> {
        checked(text).map(Self)
    }

    /// Makes the name of a process: of a machine's name those characters that are allowed, 47 at most, and a number
    /// that no other process has, such as a random one.
    pub fn of_process(machine: &str, unique: u64) -> Self {
        let allowed = machine.chars().filter(|c| is_allowed(*c)).take(MAX_NAME - 17).collect::<String>();
        let machine = if allowed.is_empty() { "node" } else { &allowed };
        Self(format!("{machine}-{unique:016x}").into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a number that follows from the name, spread evenly: what nodes do at intervals, they do at different
    /// moments.
    pub(crate) fn spread(&self) -> u64 {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let sum = self.0.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
        (sum ^ (sum >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn checked(text: &str) -> Result<Arc<str>, NameError> {
    if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(is_allowed) {
        return Err(NameError(text.chars().take(MAX_NAME).collect()));
    }
    Ok(text.into())
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a name of 1 to {MAX_NAME} letters, digits, `-` and `_`", self.0.escape_default())
    }
}

impl std::error::Error for NameError {}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl TryFrom<String> for NodeName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0.as_ref().into()
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0.as_ref().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_characters_of_subjects() {
        for wrong in ["", "a.b", "a b", "a*", ">", "é", "a/b", &"x".repeat(65)] {
            assert!(RunId::new(wrong).is_err() && NodeName::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(RunId::new("match-1_A").map(|id| id.to_string()).as_deref(), Ok("match-1_A"));
        let wrong = NodeName::new("a\u{1b}").map_err(|error| error.to_string());
        assert_eq!(wrong, Err("`a\\u{1b}` is not a name of 1 to 64 letters, digits, `-` and `_`".into()));
    }

    #[test]
    fn every_process_has_a_name() {
        let long = NodeName::of_process(&"pod.é".repeat(40), u64::MAX);
        assert_eq!((long.as_str().len(), NodeName::new(long.as_str())), (64, Ok(long.clone())));
        assert_eq!(NodeName::of_process("…", 1).as_str(), "node-0000000000000001");
    }

    #[test]
    fn names_are_checked_when_they_are_read() {
        assert!(serde_json::from_str::<RunId>("\"a.b\"").is_err());
        assert_eq!(serde_json::from_str::<RunId>("\"a\"").ok(), RunId::new("a").ok());
    }

    #[test]
    fn names_that_differ_little_are_spread() {
        let name = |n: u64| NodeName::of_process("pod", n).spread() % 900;
        let halves = (0..1000).filter(|n| name(*n) < 450).count();
        assert!((400..600).contains(&halves), "{halves}");
    }
}
