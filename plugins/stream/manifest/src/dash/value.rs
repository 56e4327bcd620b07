//! The values of attributes: whole numbers, durations of ISO 8601, byte ranges. All arithmetic is exact.

use std::rc::Rc;

use viewer_core::{ByteRange, Micros, from_seconds};

use super::xml::XmlAttribute;
use crate::instant::{decimal, read_instant};
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
        read_instant(&self.value).ok_or_else(|| self.wrong("a date such as `2026-11-30T12:00:00Z`"))
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
        sum = sum.checked_add(i128::from(decimal(number)?).checked_mul(i128::from(units[index].1))?)?;
        units = &units[index + 1..];
        rest = &unit[letter.len_utf8()..];
    }
    Micros::try_from(sum).ok()
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
    use viewer_core::SECOND;

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
