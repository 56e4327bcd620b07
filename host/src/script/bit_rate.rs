//! Bit rates such as `2Mbit/s` and `500 kbit/s`. Bits per second are what links are sold by and what ladders of streams
//! are written in; a rate without a unit, or in bytes, is rejected, because some readers would be wrong by a factor of
//! eight.

use std::ops::RangeInclusive;

/// The rates that a link can have, in bits per second.
pub(crate) const BIT_RATES: RangeInclusive<u64> = 1_000..=100_000_000_000;

/// The units, and the bits per second of each.
pub(crate) const UNITS: [(&str, f64); 4] = [("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)];

/// The ends of units that other programs write: of bits, and in capitals of bytes.
const OTHER_ENDS: [&str; 5] = ["b/s", "bps", "bit/s", "bits/s", "bit"];

/// The reason why a text is not a bit rate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BitRateError {
    /// The end of a sentence about the value, such as "needs a unit".
    pub message: String,
    /// The reason in two or three words, for a label.
    pub label: &'static str,
    /// The way to correct it.
    pub help: String,
}

/// Parses a rate in one of [`UNITS`], in whole bits per second from 0 to the highest of [`BIT_RATES`].
///
/// # Errors
/// The text is not a number and a unit, or out of range.
pub(crate) fn parse_bit_rate(text: &str) -> Result<u64, BitRateError> {
    let text = text.trim();
    let number = text.find(|next: char| !(next.is_ascii_digit() || next == '.')).unwrap_or(text.len());
    let (number, unit) = (text[..number].trim(), text[number..].trim());
    let Ok(value) = number.parse::<f64>() else {
        let is_negative = text.starts_with('-');
        let (message, label) = if is_negative { ("is negative", "negative") } else { ("is not a rate", "not a rate") };
        return Err(invalid(message, label, "write a number and a unit, such as `2Mbit/s` or `500kbit/s`".into()));
    };
    match UNITS.iter().find(|(known, _)| *known == unit) {
        Some((_, factor)) => in_range(value * factor),
        None => Err(unknown_unit(number, unit)),
    }
}

/// Parses the name of a unit. Returns its bits per second.
pub(crate) fn parse_unit(text: &str) -> Option<f64> {
    UNITS.iter().find(|(known, _)| *known == text.trim()).map(|(_, factor)| *factor)
}

/// Returns a rate in whole bits per second.
///
/// # Errors
/// It is above the highest of [`BIT_RATES`], or not a number.
pub(crate) fn in_range(rate: f64) -> Result<u64, BitRateError> {
    if (0.0..=*BIT_RATES.end() as f64).contains(&rate) {
        return Ok(rate.round() as u64);
    }
    Err(invalid("is too high", "too high", format!("the highest rate is {}", format_bit_rate(*BIT_RATES.end()))))
}

/// Returns a rate as scripts write it: with the largest unit that leaves no more than three decimals.
pub(crate) fn format_bit_rate(rate: u64) -> String {
    let fits = |factor: &f64| rate as f64 >= *factor && (rate * 1_000).is_multiple_of(*factor as u64);
    let (unit, factor) = UNITS.into_iter().rev().find(|(_, factor)| fits(factor)).unwrap_or(UNITS[0]);
    format!("{}{unit}", rate as f64 / factor)
}

/// Returns the error of a number whose unit is missing or not one of [`UNITS`].
fn unknown_unit(number: &str, unit: &str) -> BitRateError {
    if unit.is_empty() {
        let help = format!("write `{number}Mbit/s` for megabits per second or `{number}kbit/s` for kilobits");
        return invalid("needs a unit", "no unit", help);
    }
    let message = format!("has an unknown unit `{unit}`");
    let Some(meant) = meant_unit(unit) else {
        return invalid(&message, "unknown unit", "units are `bit/s`, `kbit/s`, `Mbit/s` and `Gbit/s`".into());
    };
    if unit.contains('B') {
        let bits = number.parse::<f64>().unwrap_or(1.0) * 8.0;
        return invalid(&message, "bytes", format!("rates are in bits: write `{bits}{meant}`"));
    }
    invalid(&message, "unknown unit", format!("write `{number}{meant}`"))
}

/// Returns the unit with the prefix of a text that other programs take for a unit.
fn meant_unit(unit: &str) -> Option<&'static str> {
    let typed = unit.to_lowercase();
    UNITS.iter().map(|(known, _)| *known).find(|known| {
        let prefix = known.strip_suffix("bit/s").unwrap_or_default().to_lowercase();
        typed.strip_prefix(&prefix).is_some_and(|end| OTHER_ENDS.contains(&end))
    })
}

fn invalid(message: &str, label: &'static str, help: String) -> BitRateError {
    BitRateError { message: message.to_owned(), label, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_are_a_rate() {
        for (text, expected) in [
            ("2Mbit/s", 2_000_000),
            ("500 kbit/s", 500_000),
            ("1.5Mbit/s", 1_500_000),
            ("0.0015Gbit/s", 1_500_000),
            ("100Gbit/s", 100_000_000_000),
            ("9600bit/s", 9_600),
            ("0bit/s", 0),
        ] {
            assert_eq!(parse_bit_rate(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_rejected_with_the_fix() {
        for (text, message, help) in [
            ("2", "needs a unit", "write `2Mbit/s` for megabits per second or `2kbit/s` for kilobits"),
            ("2Mbps", "has an unknown unit `Mbps`", "write `2Mbit/s`"),
            ("2mbit/s", "has an unknown unit `mbit/s`", "write `2Mbit/s`"),
            ("64 Kb/s", "has an unknown unit `Kb/s`", "write `64kbit/s`"),
            ("2MB/s", "has an unknown unit `MB/s`", "rates are in bits: write `16Mbit/s`"),
            ("0.5kB/s", "has an unknown unit `kB/s`", "rates are in bits: write `4kbit/s`"),
            ("2 parsec", "has an unknown unit `parsec`", "units are `bit/s`, `kbit/s`, `Mbit/s` and `Gbit/s`"),
            ("-2Mbit/s", "is negative", "write a number and a unit, such as `2Mbit/s` or `500kbit/s`"),
            ("fast", "is not a rate", "write a number and a unit, such as `2Mbit/s` or `500kbit/s`"),
            ("1.2.3Mbit/s", "is not a rate", "write a number and a unit, such as `2Mbit/s` or `500kbit/s`"),
            ("101Gbit/s", "is too high", "the highest rate is 100Gbit/s"),
        ] {
            let error = parse_bit_rate(text).expect_err(text);
            assert_eq!((error.message.as_str(), error.help.as_str()), (message, help), "{text}");
        }
    }

    #[test]
    fn rates_are_shown_as_they_are_written() {
        for (rate, text) in [
            (2_000_000, "2Mbit/s"),
            (1_500_000, "1.5Mbit/s"),
            (500_000, "500kbit/s"),
            (1_234_567, "1234.567kbit/s"),
            (999, "999bit/s"),
            (0, "0bit/s"),
        ] {
            assert_eq!(format_bit_rate(rate), text);
            assert_eq!(parse_bit_rate(text), Ok(rate));
        }
    }
}
