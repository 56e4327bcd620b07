//! Instants and durations as manifests write them: numbers of seconds, and dates of ISO 8601
//! (`EXT-X-PROGRAM-DATE-TIME`, attributes of an MPD, replies of time servers).

use viewer_core::{Micros, SECOND, from_seconds};

/// Reads a date of ISO 8601 with a time, such as `2026-11-30T12:00:00.5+01:00`, to an instant since 1970. Without a
/// zone it is UTC, as players read it.
#[must_use]
pub fn read_instant(text: &str) -> Option<Micros> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut fields = date.split('-');
    let mut field = || fields.next().filter(|digits| digits.len() <= 4).and_then(integer);
    let (year, month, day) = (field()?, field()?, field()?);
    if fields.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (clock, zone) = time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len()));
    let mut fields = clock.split(':');
    let (hour, minute) = (integer(fields.next()?)?, integer(fields.next()?)?);
    let second = decimal(fields.next().unwrap_or("0"))?;
    if fields.next().is_some() || hour > 24 || minute > 59 || second > 61 * SECOND {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 - offset(zone)?;
    Some(seconds * SECOND + second)
}

/// Returns the days from 1970 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that a leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Reads a zone, such as `Z`, `+01:00`, `-0330` or `+01`, to seconds.
fn offset(zone: &str) -> Option<i64> {
    let Some(sign) = zone.chars().next().filter(|sign| !sign.eq_ignore_ascii_case(&'z')) else {
        return (zone.len() <= 1).then_some(0);
    };
    let digits = zone[1..].replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { integer(minutes)? };
    let seconds = integer(hours)? * 3600 + minutes * 60;
    Some(if sign == '-' { -seconds } else { seconds })
}

fn integer(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Reads a decimal number of seconds, perhaps with a sign or an exponent.
pub(crate) fn seconds(text: &str) -> Option<Micros> {
    let text = text.trim();
    text.strip_prefix('-')
        .and_then(decimal)
        .map(|micros| -micros)
        .or_else(|| decimal(text.strip_prefix('+').unwrap_or(text)))
        .or_else(|| text.parse().ok().and_then(from_seconds))
}

/// Reads a decimal number without a sign to millionths; digits behind the sixth are dropped.
pub(crate) fn decimal(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { integer(whole)? };
    let millionths = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(whole * 1_000_000 + millionths.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        for (text, instant) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:01.25", Some(1_250_000)),
            ("2000-02-29T12:00:00+00:00", Some(951_825_600_000_000)),
            ("2026-11-30T23:59:59.999999Z", Some(1_796_083_199_999_999)),
            ("2026-11-30T23:59:59.9999999Z", Some(1_796_083_199_999_999)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T20:30:00-0330", Some(0)),
            ("1970-01-01 01:00+01", Some(0)),
            ("1970-13-01T00:00:00Z", None),
            ("1970-01-01", None),
            ("1970-01-01T00:00:00X", None),
            ("yesterday at Ten", None),
            ("", None),
        ] {
            assert_eq!(read_instant(text), instant, "{text}");
        }
    }
}
