//! The table of helpers. A row says everything about its helper: the compiler checks arguments by it, messages suggest
//! its name, the plan asks it what may change, and the reference page is made from it. `docs/internals/extending.md`
//! has the recipe for another row.

use std::fmt;
use std::time::UNIX_EPOCH;

use super::encoding;
use super::render::{Encode, IntegerRender, IntegersRender, NumbersRender, Piece, Render, display, integer};
use super::resolve::{self, ArgumentError};
use super::scope::CompileScope;

/// One helper.
pub struct Helper {
    /// The word after `{{`.
    pub name: &'static str,
    /// The text that it renders, in one phrase for the reference.
    pub meaning: &'static str,
    /// The time that one value stays current.
    pub varies: Variation,
    /// A template with this helper, and its text in the situation of [`EXAMPLES`].
    pub example: HelperExample,
    /// The parameters, and the functions that check and render.
    pub kind: HelperKind,
}

/// The time that a value of a helper stays current. The plan rejects [`Variation::PerStep`] in texts that are rendered
/// once for each user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// The whole run: the compiler writes the value into the template.
    PerRun,
    /// The whole life of a user.
    PerUser,
    /// Until the user's next step: the value follows what the user has done, so a copy of it goes stale.
    PerStep,
    /// One rendering: the value is drawn, or the time. A copy is as good as a new one.
    PerCall,
    /// As long as the helper's argument: the helper adds nothing that changes.
    AsArgument,
}

impl fmt::Display for Variation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PerRun => "per run",
            Self::PerUser => "per user",
            Self::PerStep => "per step",
            Self::PerCall => "per call",
            Self::AsArgument => "as its argument",
        })
    }
}

/// An example for the reference. A test renders it.
pub struct HelperExample {
    /// The template.
    pub template: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The situation in which every [`HelperExample`] renders its text, in a sentence for the reference.
pub const EXAMPLES: &str = "The examples are of user 2 of 3 in iteration 5 of a run with `--seed 1`, on 31 January 2026 at 09:05 UTC. `movies` \
     is the list `[Alien, Brazil, Casablanca]`, `users` has the columns `name` and `city`, the variable `title` is \
     `Life & Death`, and the environment variable `REGION` is `eu`.";

/// The type that an argument must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number of 64 bits with sign.
    Integer,
    /// A whole or a decimal number.
    Number,
    /// A bare word, or a quoted text if it has other characters than letters, digits, `_`, `-` and `.`.
    Name,
    /// A quoted text, a number, or another helper in parentheses.
    Text,
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Name => "a name",
            Self::Text => "a text",
        })
    }
}

/// The parameters of a helper, and what the compiler does with arguments of these types. A `check` rejects values; a
/// `render` appends the text and cannot fail.
pub enum HelperKind {
    /// No parameters.
    NoArguments(Render),
    /// One integer.
    Integer {
        /// The name of the parameter.
        parameter: &'static str,
        /// Rejects a value.
        check: fn(i64) -> Result<(), ArgumentError>,
        /// Appends the text.
        render: IntegerRender,
    },
    /// Two integers.
    Integers {
        /// The names of the parameters.
        parameters: [&'static str; 2],
        /// Rejects a pair of values.
        check: fn(i64, i64) -> Result<(), ArgumentError>,
        /// Appends the text.
        render: IntegersRender,
    },
    /// Two numbers.
    Numbers {
        /// The names of the parameters.
        parameters: [&'static str; 2],
        /// Rejects a pair of values.
        check: fn(f64, f64) -> Result<(), ArgumentError>,
        /// Appends the text.
        render: NumbersRender,
    },
    /// The name of something in the scope.
    Name {
        /// The name of the parameter.
        parameter: &'static str,
        /// The kind of thing that is named.
        referent: Referent,
        /// Looks the name up.
        resolve: fn(&str, &mut CompileScope<'_>) -> Result<Piece, ArgumentError>,
    },
    /// A text to encode.
    Text(Encode),
}

/// The kind of thing that a name in a template refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referent {
    /// A data set, or one of its columns.
    DataSet,
    /// A variable of the user.
    Variable,
    /// An environment variable. Its value may be a secret, and a plugin may read it only if the script does.
    Environment,
}

impl Helper {
    /// Returns the parameters in their order.
    pub fn parameters(&self) -> Vec<(&'static str, ParameterKind)> {
        match &self.kind {
            HelperKind::NoArguments(_) => Vec::new(),
            HelperKind::Integer { parameter, .. } => vec![(parameter, ParameterKind::Integer)],
            HelperKind::Integers { parameters, .. } => parameters.map(|name| (name, ParameterKind::Integer)).into(),
            HelperKind::Numbers { parameters, .. } => parameters.map(|name| (name, ParameterKind::Number)).into(),
            HelperKind::Name { parameter, .. } => vec![(parameter, ParameterKind::Name)],
            HelperKind::Text(_) => vec![("TEXT", ParameterKind::Text)],
        }
    }

    /// Returns the name and the parameters, as in `randInt LOW HIGH`.
    pub fn signature(&self) -> String {
        let parameters = self.parameters().into_iter().map(|(name, _)| name);
        [self.name].into_iter().chain(parameters).collect::<Vec<_>>().join(" ")
    }

    /// Returns `true` if the argument names an environment variable.
    pub(super) const fn reads_environment(&self) -> bool {
        matches!(self.kind, HelperKind::Name { referent: Referent::Environment, .. })
    }
}

/// Returns the table of helpers, in the order of the reference.
pub const fn helpers() -> &'static [Helper] {
    HELPERS
}

/// Renders helpers as a Markdown table for the reference, followed by the situation of its examples.
pub fn reference(helpers: &[Helper]) -> String {
    let rows: String = helpers.iter().map(reference_row).collect();
    format!("| helper | text | parameters | changes | example |\n|---|---|---|---|---|\n{rows}\n{EXAMPLES}\n")
}

fn reference_row(helper: &Helper) -> String {
    let parameters = helper.parameters().into_iter().map(|(name, kind)| format!("`{name}`: {kind}"));
    let cells = [
        format!("`{{{{{}}}}}`", helper.signature()),
        helper.meaning.to_owned(),
        parameters.collect::<Vec<_>>().join(", "),
        helper.varies.to_string(),
        format!("`{}` → `{}`", helper.example.template, helper.example.text),
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// The longest `randString`, in characters.
const MAX_RANDOM_STRING: i64 = 65_536;

static HELPERS: &[Helper] = &[
    Helper {
        name: "randInt",
        meaning: "a random whole number from LOW to HIGH, both included",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{randInt 1 6}}", text: "5" },
        kind: HelperKind::Integers {
            parameters: ["LOW", "HIGH"],
            check: |low, high| require(low <= high, || format!("the range from {low} to {high} is empty")),
            render: |low, high, values, out| integer(values.random.integer(low, high), out),
        },
    },
    Helper {
        name: "randFloat",
        meaning: "a random decimal number from LOW up to, but not including, HIGH",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{randFloat 0 1}}", text: "0.7447746149699946" },
        kind: HelperKind::Numbers {
            parameters: ["LOW", "HIGH"],
            check: |low, high| require(low < high, || format!("the range from {low} up to {high} is empty")),
            render: |low, high, values, out| display(values.random.float(low, high), out),
        },
    },
    Helper {
        name: "randString",
        meaning: "LENGTH random letters and digits (A-Z, a-z, 0-9), 1 to 65536",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{randString 8}}", text: "04QRN7n4" },
        kind: HelperKind::Integer {
            parameter: "LENGTH",
            check: |length| {
                let message = || format!("length {length} is not in 1 to {MAX_RANDOM_STRING}");
                require((1..=MAX_RANDOM_STRING).contains(&length), message)
            },
            render: |length, values, out| values.random.alphanumeric(length as u32, out),
        },
    },
    Helper {
        name: "pick",
        meaning: "a random row of a data set, a new one each time; with LIST.COLUMN that column of a row that is drawn \
                  once per iteration",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{pick movies}}", text: "Casablanca" },
        kind: HelperKind::Name { parameter: "LIST", referent: Referent::DataSet, resolve: resolve::pick },
    },
    Helper {
        name: "next",
        meaning: "the user's next row of a data set, each user reading rows of its own while they last; with \
                  LIST.COLUMN that column of the iteration's row",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{next movies}}", text: "Casablanca" },
        kind: HelperKind::Name { parameter: "LIST", referent: Referent::DataSet, resolve: resolve::next },
    },
    Helper {
        name: "uuid",
        meaning: "a random UUID (version 4)",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{uuid}}", text: "bea98c96-2fe7-4f2f-a05e-c5e38ae0db04" },
        kind: HelperKind::NoArguments(|values, out| {
            out.push_str(values.random.uuid().hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
        }),
    },
    Helper {
        name: "epochms",
        meaning: "milliseconds since 1970-01-01 UTC",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{epochms}}", text: "1769850300250" },
        kind: HelperKind::NoArguments(|values, out| integer(values.wall_clock.as_millis(), out)),
    },
    Helper {
        name: "epochs",
        meaning: "whole seconds since 1970-01-01 UTC",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{epochs}}", text: "1769850300" },
        kind: HelperKind::NoArguments(|values, out| integer(values.wall_clock.as_secs(), out)),
    },
    Helper {
        name: "isoNow",
        meaning: "the time in UTC with milliseconds (RFC 3339)",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{isoNow}}", text: "2026-01-31T09:05:00.250Z" },
        kind: HelperKind::NoArguments(|values, out| {
            display(humantime::format_rfc3339_millis(UNIX_EPOCH + values.wall_clock), out);
        }),
    },
    Helper {
        name: "userId",
        meaning: "the user's number, from 0",
        varies: Variation::PerUser,
        example: HelperExample { template: "user-{{userId}}", text: "user-2" },
        kind: HelperKind::NoArguments(|values, out| integer(values.user, out)),
    },
    Helper {
        name: "iteration",
        meaning: "how many times the user has walked the script so far, from 0",
        varies: Variation::PerStep,
        example: HelperExample { template: "{{userId}}-{{iteration}}", text: "2-5" },
        kind: HelperKind::NoArguments(|values, out| integer(values.iteration, out)),
    },
    Helper {
        name: "var",
        meaning: "a variable's value, as captured from an earlier reply; nothing while it is not set",
        varies: Variation::PerStep,
        example: HelperExample { template: "{{var title}}", text: "Life & Death" },
        kind: HelperKind::Name { parameter: "NAME", referent: Referent::Variable, resolve: resolve::variable },
    },
    Helper {
        name: "env",
        meaning: "an environment variable, read once before the run",
        varies: Variation::PerRun,
        example: HelperExample { template: "https://{{env REGION}}.site", text: "https://eu.site" },
        kind: HelperKind::Name { parameter: "NAME", referent: Referent::Environment, resolve: resolve::environment },
    },
    Helper {
        name: "urlencode",
        meaning: "TEXT percent-encoded, safe in any part of a URL",
        varies: Variation::AsArgument,
        example: HelperExample { template: "{{urlencode (var title)}}", text: "Life%20%26%20Death" },
        kind: HelperKind::Text(encoding::url),
    },
    Helper {
        name: "base64",
        meaning: "TEXT in base64, standard alphabet, padded",
        varies: Variation::AsArgument,
        example: HelperExample { template: "{{base64 'user:pass'}}", text: "dXNlcjpwYXNz" },
        kind: HelperKind::Text(encoding::base64),
    },
    Helper {
        name: "json",
        meaning: "TEXT as a JSON string, with its quotes",
        varies: Variation::AsArgument,
        example: HelperExample { template: "{{json (var title)}}", text: "\"Life & Death\"" },
        kind: HelperKind::Text(encoding::json),
    },
    Helper {
        name: "jsonEscape",
        meaning: "TEXT escaped for the inside of a JSON string, without quotes",
        varies: Variation::AsArgument,
        example: HelperExample { template: "{{jsonEscape 'a \"b\"'}}", text: "a \\\"b\\\"" },
        kind: HelperKind::Text(encoding::json_escape),
    },
];

/// Rejects arguments unless `holds`, with a message that needs no help text.
fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), ArgumentError> {
    if holds { Ok(()) } else { Err(ArgumentError::new(message())) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn signatures_name_the_parameters() {
        let signature = |name| helpers().iter().find(|helper| helper.name == name).unwrap().signature();
        assert_eq!(signature("randInt"), "randInt LOW HIGH");
        assert_eq!(signature("pick"), "pick LIST");
        assert_eq!(signature("json"), "json TEXT");
        assert_eq!(signature("uuid"), "uuid");
    }

    #[test]
    fn names_differ() {
        let names: HashSet<_> = helpers().iter().map(|helper| helper.name).collect();
        assert_eq!(names.len(), helpers().len());
    }
}
