//! The one table of helpers. The compiler checks arguments by it, messages quote it, and the documentation lists it, so
//! none can differ from the others.

use std::fmt;

use super::encoding::Encoding;
use super::render::{Piece, ResolvedCall};
use super::resolve::{self, ArgumentError};
use super::scope::CompileScope;

/// What an argument must be.
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

/// One helper.
pub struct Helper {
    /// What is written after `{{`.
    pub name: &'static str,
    /// One line for the documentation: what it renders as.
    pub meaning: &'static str,
    /// What it takes and becomes.
    pub kind: HelperKind,
}

/// The parameters of a helper, and how it is made from arguments of just these kinds.
pub enum HelperKind {
    /// No parameters.
    NoArguments(ResolvedCall),
    /// One integer.
    Integer(&'static str, fn(i64) -> Result<ResolvedCall, ArgumentError>),
    /// Two integers.
    Integers([&'static str; 2], fn(i64, i64) -> Result<ResolvedCall, ArgumentError>),
    /// Two numbers.
    Numbers([&'static str; 2], fn(f64, f64) -> Result<ResolvedCall, ArgumentError>),
    /// A name, looked up in the scope.
    Name(&'static str, fn(&str, &mut CompileScope<'_>) -> Result<Piece, ArgumentError>),
    /// A text to encode.
    Text(Encoding),
}

impl Helper {
    /// The parameters in their order.
    pub fn parameters(&self) -> Vec<(&'static str, ParameterKind)> {
        match &self.kind {
            HelperKind::NoArguments(_) => Vec::new(),
            HelperKind::Integer(name, _) => vec![(name, ParameterKind::Integer)],
            HelperKind::Integers(names, _) => names.map(|name| (name, ParameterKind::Integer)).into(),
            HelperKind::Numbers(names, _) => names.map(|name| (name, ParameterKind::Number)).into(),
            HelperKind::Name(name, _) => vec![(name, ParameterKind::Name)],
            HelperKind::Text(_) => vec![("TEXT", ParameterKind::Text)],
        }
    }

    /// The name and the parameters, as in `randInt LOW HIGH`.
    pub fn signature(&self) -> String {
        let parameters = self.parameters().into_iter().map(|(name, _)| name);
        [self.name].into_iter().chain(parameters).collect::<Vec<_>>().join(" ")
    }
}

/// Every helper there is, in the order of the documentation.
pub fn helpers() -> &'static [Helper] {
    HELPERS
}

/// The longest `randString`, in characters.
const MAX_RANDOM_STRING: i64 = 65_536;

static HELPERS: &[Helper] = &[
    Helper {
        name: "randInt",
        meaning: "a random whole number from LOW to HIGH, both included",
        kind: HelperKind::Integers(["LOW", "HIGH"], |low, high| {
            let empty = || ArgumentError::new(format!("the range from {low} to {high} is empty"));
            (low <= high).then_some(ResolvedCall::RandInt { low, high }).ok_or_else(empty)
        }),
    },
    Helper {
        name: "randFloat",
        meaning: "a random decimal number from LOW up to, but not including, HIGH",
        kind: HelperKind::Numbers(["LOW", "HIGH"], |low, high| {
            let empty = || ArgumentError::new(format!("the range from {low} up to {high} is empty"));
            (low < high).then_some(ResolvedCall::RandFloat { low, high }).ok_or_else(empty)
        }),
    },
    Helper {
        name: "randString",
        meaning: "LENGTH random letters and digits (A-Z, a-z, 0-9), 1 to 65536",
        kind: HelperKind::Integer("LENGTH", |length| match u32::try_from(length) {
            Ok(count) if (1..=MAX_RANDOM_STRING).contains(&length) => Ok(ResolvedCall::RandString(count)),
            _ => Err(ArgumentError::new(format!("length {length} is not in 1 to {MAX_RANDOM_STRING}"))),
        }),
    },
    Helper {
        name: "pick",
        meaning: "a random row of a data set, a new one each time; with LIST.COLUMN that column of a row that is drawn \
                  once per iteration",
        kind: HelperKind::Name("LIST", resolve::pick),
    },
    Helper {
        name: "next",
        meaning: "the user's next row of a data set, each user reading rows of its own while they last; with \
                  LIST.COLUMN that column of the iteration's row",
        kind: HelperKind::Name("LIST", resolve::next),
    },
    Helper { name: "uuid", meaning: "a random UUID (version 4)", kind: HelperKind::NoArguments(ResolvedCall::Uuid) },
    Helper {
        name: "epochms",
        meaning: "milliseconds since 1970-01-01 UTC",
        kind: HelperKind::NoArguments(ResolvedCall::EpochMilliseconds),
    },
    Helper {
        name: "epochs",
        meaning: "whole seconds since 1970-01-01 UTC",
        kind: HelperKind::NoArguments(ResolvedCall::EpochSeconds),
    },
    Helper {
        name: "isoNow",
        meaning: "the time in UTC with milliseconds, as in `2026-01-31T09:05:00.250Z`",
        kind: HelperKind::NoArguments(ResolvedCall::IsoNow),
    },
    Helper {
        name: "userId",
        meaning: "the user's number, from 0",
        kind: HelperKind::NoArguments(ResolvedCall::UserId),
    },
    Helper {
        name: "iteration",
        meaning: "how many times the user has walked the script so far, from 0",
        kind: HelperKind::NoArguments(ResolvedCall::Iteration),
    },
    Helper {
        name: "var",
        meaning: "a variable's value, as captured from an earlier reply; nothing while it is not set",
        kind: HelperKind::Name("NAME", resolve::variable),
    },
    Helper {
        name: "env",
        meaning: "an environment variable, read once before the run",
        kind: HelperKind::Name("NAME", resolve::environment),
    },
    Helper {
        name: "urlencode",
        meaning: "TEXT percent-encoded, safe in any part of a URL",
        kind: HelperKind::Text(Encoding::Url),
    },
    Helper {
        name: "base64",
        meaning: "TEXT in base64, standard alphabet, padded",
        kind: HelperKind::Text(Encoding::Base64),
    },
    Helper { name: "json", meaning: "TEXT as a JSON string, with its quotes", kind: HelperKind::Text(Encoding::Json) },
];

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
