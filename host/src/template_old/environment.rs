//! The environment that `{{env NAME}}` reads, taken once before the run: a template is constant where it uses `env`,
//! and a test can bring an environment of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fmt};

use super::parse::{ArgumentValue, HelperCall, TemplateSegment, parse};

/// Environment variables by name.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, String>,
    /// Names that are given in the script, for all to read.
    script_names: BTreeSet<String>,
}

impl Environment {
    /// `process` over `file`, the pairs of an env-file: a name that both have keeps the value of the process, as it does
    /// with other tools, so that one run can differ from the file. Within one of them the last of a name counts.
    pub fn new(
        process: impl IntoIterator<Item = (String, String)>,
        file: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self { values: file.into_iter().chain(process).collect(), script_names: BTreeSet::new() }
    }

    /// The environment of this process over the pairs of an env-file. A variable that is not UTF-8 counts as missing.
    pub fn from_process(file: impl IntoIterator<Item = (String, String)>) -> Self {
        let utf8 =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::new(utf8, file)
    }

    /// The same with these pairs of the script, which win.
    pub fn with_script_values(&self, own: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut both = self.clone();
        for (name, value) in own {
            both.script_names.insert(name.clone());
            both.values.insert(name, value);
        }
        both
    }

    /// The value, if there is one that does not stand in the script: what the process was given may be a secret.
    pub fn secret(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|_| !self.script_names.contains(name))
    }

    /// The value, if there is one. May be a secret.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// The variables that a text reads by `env`, nested ones included; none if it is no template.
pub fn environment_names(source: &str) -> Vec<String> {
    let segments = parse(source).unwrap_or_default();
    let expressions = segments.into_iter().filter_map(|segment| match segment {
        TemplateSegment::Expression(expression) => Some(expression),
        TemplateSegment::Literal(_) => None,
    });
    let mut names = Vec::new();
    for expression in expressions {
        collect_names(expression, &mut names);
    }
    names
}

/// Adds the names of one expression. How deep expressions nest is limited.
fn collect_names(expression: HelperCall<'_>, names: &mut Vec<String>) {
    for argument in expression.arguments {
        match argument.value {
            ArgumentValue::Expression(inner) => collect_names(inner, names),
            ArgumentValue::Name(name) if expression.name == "env" => names.push(name.to_owned()),
            ArgumentValue::Text(name) if expression.name == "env" => names.push(name.into_owned()),
            _ => {}
        }
    }
}

/// How many there are, and no value: one may be a token.
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
    fn what_stands_in_the_script_is_no_secret() {
        let environment = Environment::new(pairs(&[("A", "1"), ("B", "2")]), pairs(&[("C", "3")]));
        let own = environment.with_script_values(pairs(&[("B", "4"), ("D", "5")]));
        assert_eq!(["A", "B", "C", "D"].map(|name| own.get(name)), ["1", "4", "3", "5"].map(Some));
        assert_eq!(["A", "B", "C", "D"].map(|name| own.secret(name)), [Some("1"), None, Some("3"), None]);
        assert_eq!(environment.secret("B"), Some("2"));
    }

    #[test]
    fn the_names_a_text_reads_are_found_wherever_they_stand() {
        for (case, text, expected) in [
            ("a word and a text", "{{env A}}/{{ env 'B' }}", &["A", "B"][..]),
            ("nested", "{{base64 (urlencode (env A))}}", &["A"]),
            ("no expression", "env A {{{{env B}}", &[]),
            ("another helper", "{{var env}}", &[]),
            ("no template", "{{env A}}{{", &[]),
        ] {
            assert_eq!(environment_names(text), expected, "{case}");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let environment = Environment::new(pairs(&[("TOKEN", "hunter2")]), []);
        assert_eq!(format!("{environment:?}"), "Environment { variables: 1, .. }");
    }
}
