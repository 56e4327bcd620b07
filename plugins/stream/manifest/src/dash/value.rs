//! The values of attributes: whole numbers, durations and dates of ISO 8601, byte ranges. All arithmetic is exact.

use std::rc::Rc;

use viewer_core::{ByteRange, Micros, SECOND, from_seconds};

use super::xml::XmlAttribute;
use crate::note::ManifestError;

/// The longest reference or identifier, in bytes: representations inherit it, so it is copied for each.
const LONGEST: usize = 8 << 10;

/// Seconds of a day.
const DAY: i64 = 86_400;

impl XmlAttribute<'_> {
    pub(super) fn unsigned(&self) -> Result<u64, ManifestError> {
        self.value.trim().parse().map_err(|_| self.wrong("a whole number"))
    }

    pub(super) fn signed(&self) -> Result<i64, ManifestError> {
        self.value.trim().parse().map_err(|_| self.wrong("a whole number"))
    }

    /// Returns a number of ticks; players cannot count beyond 2^63 either.
    pub(super) fn ticks(&self) -> Result<i64, ManifestError> {
        i64::try_from(self.unsigned()?).map_err(|_| self.wrong("below 2^63"))
    }

    pub(super) fn pixels(&self) -> Result<u32, ManifestError> {
        self.value.trim().parse().map_err(|_| self.wrong("a number of pixels"))
    }

    pub(super) fn boolean(&self) -> Result<bool, ManifestError> {
        match self.value.trim() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.wrong("`true` or `false`")),
        }
    }

    /// Returns decimal seconds; `Micros::MAX` for `INF`.
    pub(super) fn seconds(&self) -> Result<Micros, ManifestError> {
        match self.value.trim() {
            "INF" | "+INF" => Ok(Micros::MAX),
            text => text.parse().ok().and_then(from_seconds).ok_or_else(|| self.wrong("a number of seconds")),
        }
    }

    pub(super) fn duration(&self) -> Result<Micros, ManifestError> {
        duration(self.value.trim()).ok_or_else(|| self.wrong("a duration such as `PT4.5S`"))
    }

    pub(super) fn instant(&self) -> Result<Micros, ManifestError> {
        instant(self.value.trim()).ok_or_else(|| self.wrong("a date such as `2026-11-30T12:00:00Z`"))
    }

    /// Returns a range such as `0-499`; its end may be open.
    pub(super) fn range(&self) -> Result<ByteRange, ManifestError> {
        range(self.value.trim()).ok_or_else(|| self.wrong("a range of bytes such as `0-499`"))
    }

    /// Returns a reference or an identifier.
    pub(super) fn text(&self) -> Result<Rc<str>, ManifestError> {
        short(self.line, self.name, self.value.trim())
    }

    fn wrong(&self, expected: &str) -> ManifestError {
        let value: String = self.value.chars().take(40).collect();
        ManifestError::new(self.line, format!("`@{}` is `{value}`, not {expected}", self.name))
    }
}

/// Returns a text that may be copied.
pub(super) fn short(line: usize, name: &str, text: &str) -> Result<Rc<str>, ManifestError> {
    if text.len() > LONGEST {
        return Err(ManifestError::new(line, format!("`{name}` is longer than 8 KiB")));
    }
    Ok(text.into())
}

/// Parses a duration such as `P1DT2H3M4.5S`. A year has 365 days, a month has 30.
pub(super) fn duration(text: &str) -> Option<Micros> {
    let mut rest = text.strip_prefix('P')?;
    let mut sum: i128 = 0;
    let mut units: &[(char, i64)] = &[('Y', 365 * DAY), ('M', 30 * DAY), ('W', 7 * DAY), ('D', DAY)];
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            units = &[('H', 3600), ('M', 60), ('S', 1)];
            rest = time;
            continue;
        }
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, unit) = rest.split_at(end);
        let letter = unit.chars().next()?;
        let index = units.iter().position(|(name, _)| *name == letter)?;
        sum = sum.checked_add(decimal(number)?.checked_mul(i128::from(units[index].1))?)?;
        units = &units[index + 1..];
        rest = &unit[letter.len_utf8()..];
    }
    Micros::try_from(sum).ok()
}

/// Parses a decimal number without a sign to millionths, rounded down.
fn decimal(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let millionths = digits.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    Some(i128::from(whole) * i128::from(SECOND) + millionths)
}

/// Parses an instant such as `2026-11-30T12:00:00.5+01:00` to the time since 1970. One without a zone is of UTC.
pub(crate) fn instant(text: &str) -> Option<Micros> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let (year, rest) = date.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let days = days_since_1970(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?)?;
    let zone_begins = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone_begins);
    let (hours, rest) = time.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
    let (hours, minutes, seconds) = (digits(hours, 2)?, digits(minutes, 2)?, Micros::try_from(decimal(seconds)?).ok()?);
    // A leap second is the second after it; 24:00 is the next day.
    if hours > 24 || minutes > 59 || seconds >= 61 * SECOND {
        return None;
    }
    let whole = days * DAY + hours * 3600 + minutes * 60 - offset(zone)?;
    Some(whole * SECOND + seconds)
}

/// Returns the seconds by which the clocks of a zone are ahead.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, zone) = zone.split_at(1);
    let (hours, minutes) = match zone.split_once(':') {
        Some((hours, minutes)) => (digits(hours, 2)?, digits(minutes, 2)?),
        None => (digits(zone.get(..2)?, 2)?, zone.get(2..).map_or(Some(0), |rest| digits(rest, 0))?),
    };
    let seconds = (hours <= 24 && minutes <= 59).then_some(hours * 3600 + minutes * 60)?;
    match sign {
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

/// Parses 6 digits at most; `count` of them unless that is 0.
fn digits(text: &str, count: usize) -> Option<i64> {
    let fits = if count == 0 { text.len() <= 2 } else { text.len() >= count && text.len() <= 6 };
    if !fits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.is_empty() { Some(0) } else { text.parse().ok() }
}

/// Returns the days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin with March, so that a leap day is their last; 400 years have 146,097 days.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.split_once('-')?;
    let start: u64 = first.trim().parse().ok()?;
    let length = match last.trim() {
        "" => u64::MAX,
        last => last.parse::<u64>().ok()?.checked_sub(start)?.saturating_add(1),
    };
    Some(ByteRange { start, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (text, micros) in [
            ("PT4.5S", Some(4_500_000)),
            ("PT0H3M30.000S", Some(210_000_000)),
            ("P1Y2M3DT4H5M6.7S", Some((365 + 60 + 3) * DAY * SECOND + 14_706_700_000)),
            ("P2W", Some(14 * DAY * SECOND)),
            ("PT1.99999999S", Some(1_999_999)),
            ("PT.5S", Some(500_000)),
            ("PT9007199254740993S", None),
            ("PT1480044388.777778S", Some(1_480_044_388_777_778)),
            ("P0D", Some(0)),
            ("PT0S", Some(0)),
            ("PT0.5H", Some(1_800_000_000)),
            ("", None),
            ("P", None),
            ("-PT1S", None),
            ("PT1", None),
            ("PT1S2M", None),
            ("PT1.2.3S", None),
            ("PT.S", None),
            ("PTé", None),
            ("4.5", None),
        ] {
            assert_eq!(duration(text), micros, "{text}");
        }
    }

    #[test]
    fn dates_are_since_1970() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-11-30T12:00:00", Some(1_796_040_000)),
            ("2026-11-30T12:00:00+01:00", Some(1_796_036_400)),
            ("2026-11-30T12:00:00-0130", Some(1_796_045_400)),
            ("2026-11-30T24:00:00Z", Some(1_796_083_200)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_800)),
            ("2026-11-30T12:00Z", Some(1_796_040_000)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2026-13-30T12:00:00Z", None),
            ("2026-11-30", None),
            ("2026-11-30T12:00:00+é", None),
            ("2026-11-30T+2:00:00Z", None),
            ("now", None),
        ] {
            assert_eq!(instant(text), seconds.map(|seconds: i64| seconds * SECOND), "{text}");
        }
        assert_eq!(instant("1970-01-01T00:00:00.0000019Z"), Some(1));
    }

    #[test]
    fn ranges_include_their_last_byte() {
        for (text, range) in [
            ("0-499", Some(ByteRange { start: 0, length: 500 })),
            ("5-", Some(ByteRange { start: 5, length: u64::MAX })),
            ("0-18446744073709551615", Some(ByteRange { start: 0, length: u64::MAX })),
            ("5-4", None),
            ("-5", None),
            ("5", None),
        ] {
            assert_eq!(super::range(text), range, "{text}");
        }
    }
}
