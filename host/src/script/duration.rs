//! Durations such as `500ms`, `30s`, `2m`, `1h 30m`. A number without a unit is rejected, because some readers would
//! take it for seconds and others for milliseconds.

use std::fmt;
use std::time::Duration;

use humantime::DurationError as Error;

/// The longest duration, 366 days, so that sums of durations and clocks never overflow.
const MAX_DURATION: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The reason why a text is not a duration. Shown on the command line as `message: help`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DurationParseError {
    /// The end of a sentence about the value, such as "needs a unit".
    pub message: String,
    /// The reason in two or three words, for a label.
    pub label: &'static str,
    /// The way to correct it.
    pub help: String,
}

impl fmt::Display for DurationParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.message, self.help)
    }
}

impl std::error::Error for DurationParseError {}

/// Parses a duration from 0 to [`MAX_DURATION`]. Units are those of humantime, from `ns` to `y`; a number may have a
/// fraction (`1.5s`).
pub(crate) fn parse_duration(text: &str) -> Result<Duration, DurationParseError> {
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

/// Returns the error of a number without a unit, which in a script may also be a YAML number.
pub(crate) fn missing_unit(number: &str) -> DurationParseError {
    invalid("needs a unit", "no unit", &format!("write `{number}s` for seconds or `{number}ms` for milliseconds"))
}

fn invalid(message: &str, label: &'static str, help: &str) -> DurationParseError {
    DurationParseError { message: message.to_owned(), label, help: help.to_owned() }
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
    fn everything_else_is_rejected_with_the_reason() {
        for (text, message) in [
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
            assert_eq!(parse_duration(text).expect_err(text).message, message, "{text}");
        }
    }
}
