//! The environment that `{{env NAME}}` reads. It is copied once before the run, so that `env` is a constant, and a test
//! can bring an environment of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fmt};

/// Environment variables by name.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, String>,
    /// Names whose values stand in the script, where anyone can read them.
    script_names: BTreeSet<String>,
}

impl Environment {
    /// Joins the variables of the process and the pairs of an env-file. A name in both has the value of the process, as
    /// in other tools, so that one run can differ from the file. Within one of them the last value of a name counts.
    pub fn new(
        process: impl IntoIterator<Item = (String, String)>,
        file: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self { values: file.into_iter().chain(process).collect(), script_names: BTreeSet::new() }
    }

    /// Joins the environment of this process and the pairs of an env-file, as [`Environment::new`] does. A variable
    /// that is not UTF-8 counts as missing.
    pub fn from_process(file: impl IntoIterator<Item = (String, String)>) -> Self {
        let utf8 =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::new(utf8, file)
    }

    /// Returns a copy with these pairs of the script, which take precedence.
    pub fn with_script_values(&self, own: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut both = self.clone();
        for (name, value) in own {
            both.script_names.insert(name.clone());
            both.values.insert(name, value);
        }
        both
    }

    /// Returns the value, if there is one that does not stand in the script: it may be a secret.
    pub fn secret(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|_| !self.script_names.contains(name))
    }

    /// Returns the value, if there is one. It may be a secret.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Iterates over all names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// Shows the number of variables and no value: one may be a token.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("variables", &self.values.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn the_process_wins_over_the_file() {
        let environment = Environment::new(pairs(&[("A", "process")]), pairs(&[("A", "file"), ("B", "1"), ("B", "2")]));
        assert_eq!((environment.get("A"), environment.get("B")), (Some("process"), Some("2")));
        assert_eq!((environment.get("C"), environment.names().count()), (None, 2));
    }

    #[test]
    fn values_in_the_script_are_not_secret() {
        let environment = Environment::new(pairs(&[("A", "1"), ("B", "2")]), pairs(&[("C", "3")]));
        let own = environment.with_script_values(pairs(&[("B", "4"), ("D", "5")]));
        assert_eq!(["A", "B", "C", "D"].map(|name| own.get(name)), ["1", "4", "3", "5"].map(Some));
        assert_eq!(["A", "B", "C", "D"].map(|name| own.secret(name)), [Some("1"), None, Some("3"), None]);
        assert_eq!(environment.secret("B"), Some("2"));
    }

    #[test]
    fn debug_shows_no_value() {
        let environment = Environment::new(pairs(&[("TOKEN", "hunter2")]), []);
        assert_eq!(format!("{environment:?}"), "Environment { variables: 1, .. }");
    }
}
