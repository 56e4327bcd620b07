//! Durations as people write them: `500ms`, `30s`, `2m`, `1h 30m`. A number alone is refused, because half of its
//! readers would take it for seconds and the other half for milliseconds.

use std::fmt;
use std::time::Duration;

use humantime::DurationError as Error;

/// The longest duration there is, so that sums of durations and clocks never overflow: 366 days.
pub const MAX_DURATION: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Why a text is no duration. Shown on the command line as `what: help`.
#[derive(Debug, PartialEq, Eq)]
pub struct DurationParseError {
    /// The end of a sentence about the value, such as "needs a unit".
    pub message: String,
    /// The same in two or three words, for a label.
    pub label: &'static str,
    /// How to put it right.
    pub help: String,
}

impl fmt::Display for DurationParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.message, self.help)
    }
}

impl std::error::Error for DurationParseError {}

/// Reads a duration of 0 to [`LONGEST`]. Units are those of humantime, from `ns` to `y`; the fraction of a number is
/// allowed (`1.5s`).
pub fn parse_duration(text: &str) -> Result<Duration, DurationParseError> {
    if text.starts_with('-') {
        return Err(invalid("is negative", "negative", "write a duration such as `30s`"));
    }
    if text == "0" {
        return Err(missing_unit("0"));
    }
    match humantime::parse_duration(text) {
        Ok(duration) if duration <= MAX_DURATION => Ok(duration),
        Ok(_) | Err(Error::NumberOverflow) => {
            Err(invalid("is too long", "too long", "the longest duration is 366 days (`366d`)"))
        }
        Err(Error::UnknownUnit { unit, .. }) if unit.is_empty() => Err(missing_unit(text.trim())),
        Err(Error::UnknownUnit { unit, .. }) => Err(invalid(
            &format!("has an unknown unit `{unit}`"),
            "unknown unit",
            "units are `ms`, `s`, `m`, `h` and `d`",
        )),
        Err(Error::InvalidCharacter(_) | Error::NumberExpected(_) | Error::Empty) => Err(invalid(
            "is not a duration",
            "not a duration",
            "write a number and a unit, such as `500ms`, `30s` or `2m`",
        )),
    }
}

/// The mistake of a number alone, which a script may also make with a YAML number.
pub fn missing_unit(number: &str) -> DurationParseError {
    invalid("needs a unit", "no unit", &format!("write `{number}s` for seconds or `{number}ms` for milliseconds"))
}

fn invalid(what: &str, label: &'static str, help: &str) -> DurationParseError {
    DurationParseError { message: what.to_owned(), label, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_durations() {
        for (text, expected) in [
            ("500ms", Duration::from_millis(500)),
            ("2m", Duration::from_secs(120)),
            ("1h 30m", Duration::from_secs(5400)),
            ("1m30s", Duration::from_secs(90)),
            ("1.5s", Duration::from_millis(1500)),
            ("0s", Duration::ZERO),
            ("366d", MAX_DURATION),
        ] {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        for (text, what) in [
            ("30", "needs a unit"),
            ("0", "needs a unit"),
            ("1.5", "needs a unit"),
            ("1m 30", "needs a unit"),
            ("5 sek", "has an unknown unit `sek`"),
            ("-5s", "is negative"),
            ("367d", "is too long"),
            ("99999999999999999999s", "is too long"),
            ("", "is not a duration"),
            ("soon", "is not a duration"),
            ("1:30", "is not a duration"),
        ] {
            assert_eq!(parse_duration(text).expect_err(text).message, what, "{text}");
        }
    }
}
