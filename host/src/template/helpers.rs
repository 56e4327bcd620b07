//! The one table of helpers. The compiler checks arguments by it, messages quote it, and the documentation lists it, so
//! none can differ from the others.

use std::fmt;

use super::encode::Encoding;
use super::render::{Call, Piece};
use super::resolve::{self, Mistake};
use super::scope::Scope;

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 64 bits with sign.
    Integer,
    /// A whole or a decimal number.
    Number,
    /// A bare word, or a quoted text if it has other characters than letters, digits, `_`, `-` and `.`.
    Name,
    /// A quoted text, a number, or another helper in parentheses.
    Text,
}

impl fmt::Display for Kind {
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
pub struct Definition {
    /// What is written after `{{`.
    pub name: &'static str,
    /// One line for the documentation: what it renders as.
    pub meaning: &'static str,
    /// What it takes and becomes.
    pub shape: Shape,
}

/// The parameters of a helper, and how it is made from arguments of just these kinds.
pub enum Shape {
    /// No parameters.
    Nothing(Call),
    /// One integer.
    Integer(&'static str, fn(i64) -> Result<Call, Mistake>),
    /// Two integers.
    Integers([&'static str; 2], fn(i64, i64) -> Result<Call, Mistake>),
    /// Two numbers.
    Numbers([&'static str; 2], fn(f64, f64) -> Result<Call, Mistake>),
    /// A name, looked up in the scope.
    Name(&'static str, fn(&str, &mut Scope<'_>) -> Result<Piece, Mistake>),
    /// A text to encode.
    Text(Encoding),
}

impl Definition {
    /// The parameters in their order.
    pub fn parameters(&self) -> Vec<(&'static str, Kind)> {
        match &self.shape {
            Shape::Nothing(_) => Vec::new(),
            Shape::Integer(name, _) => vec![(name, Kind::Integer)],
            Shape::Integers(names, _) => names.map(|name| (name, Kind::Integer)).into(),
            Shape::Numbers(names, _) => names.map(|name| (name, Kind::Number)).into(),
            Shape::Name(name, _) => vec![(name, Kind::Name)],
            Shape::Text(_) => vec![("TEXT", Kind::Text)],
        }
    }

    /// The name and the parameters, as in `randInt LOW HIGH`.
    pub fn signature(&self) -> String {
        let parameters = self.parameters().into_iter().map(|(name, _)| name);
        [self.name].into_iter().chain(parameters).collect::<Vec<_>>().join(" ")
    }
}

/// Every helper there is, in the order of the documentation.
pub fn helpers() -> &'static [Definition] {
    TABLE
}

/// The longest `randString`, in characters.
const MAX_RANDOM_STRING: i64 = 65_536;

static TABLE: &[Definition] = &[
    Definition {
        name: "randInt",
        meaning: "a random whole number from LOW to HIGH, both included",
        shape: Shape::Integers(["LOW", "HIGH"], |low, high| {
            let empty = || Mistake::new(format!("the range from {low} to {high} is empty"));
            (low <= high).then_some(Call::RandInt { low, high }).ok_or_else(empty)
        }),
    },
    Definition {
        name: "randFloat",
        meaning: "a random decimal number from LOW up to, but not including, HIGH",
        shape: Shape::Numbers(["LOW", "HIGH"], |low, high| {
            let empty = || Mistake::new(format!("the range from {low} up to {high} is empty"));
            (low < high).then_some(Call::RandFloat { low, high }).ok_or_else(empty)
        }),
    },
    Definition {
        name: "randString",
        meaning: "LENGTH random letters and digits (A-Z, a-z, 0-9), 1 to 65536",
        shape: Shape::Integer("LENGTH", |length| match u32::try_from(length) {
            Ok(count) if (1..=MAX_RANDOM_STRING).contains(&length) => Ok(Call::RandString(count)),
            _ => Err(Mistake::new(format!("length {length} is not in 1 to {MAX_RANDOM_STRING}"))),
        }),
    },
    Definition {
        name: "pick",
        meaning: "a random row of a data set, a new one each time; with LIST.COLUMN that column of a row that is drawn \
                  once per iteration",
        shape: Shape::Name("LIST", resolve::pick),
    },
    Definition {
        name: "next",
        meaning: "the user's next row of a data set, each user reading rows of its own while they last; with \
                  LIST.COLUMN that column of the iteration's row",
        shape: Shape::Name("LIST", resolve::next),
    },
    Definition { name: "uuid", meaning: "a random UUID (version 4)", shape: Shape::Nothing(Call::Uuid) },
    Definition {
        name: "epochms",
        meaning: "milliseconds since 1970-01-01 UTC",
        shape: Shape::Nothing(Call::EpochMilliseconds),
    },
    Definition {
        name: "epochs",
        meaning: "whole seconds since 1970-01-01 UTC",
        shape: Shape::Nothing(Call::EpochSeconds),
    },
    Definition {
        name: "isoNow",
        meaning: "the time in UTC with milliseconds, as in `2026-01-31T09:05:00.250Z`",
        shape: Shape::Nothing(Call::IsoNow),
    },
    Definition { name: "userId", meaning: "the user's number, from 0", shape: Shape::Nothing(Call::UserId) },
    Definition {
        name: "iteration",
        meaning: "how many times the user has walked the script so far, from 0",
        shape: Shape::Nothing(Call::Iteration),
    },
    Definition {
        name: "var",
        meaning: "a variable's value, as captured from an earlier reply; nothing while it is not set",
        shape: Shape::Name("NAME", resolve::variable),
    },
    Definition {
        name: "env",
        meaning: "an environment variable, read once before the run",
        shape: Shape::Name("NAME", resolve::environment),
    },
    Definition {
        name: "urlencode",
        meaning: "TEXT percent-encoded, safe in any part of a URL",
        shape: Shape::Text(Encoding::Url),
    },
    Definition {
        name: "base64",
        meaning: "TEXT in base64, standard alphabet, padded",
        shape: Shape::Text(Encoding::Base64),
    },
    Definition { name: "json", meaning: "TEXT as a JSON string, with its quotes", shape: Shape::Text(Encoding::Json) },
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
