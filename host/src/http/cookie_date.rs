//! The dates of cookies, read as browsers do (RFC 6265 section 5.1.1): parts in any order, with one-digit days, and
//! whatever time zone is named. The cookie parser knows the common formats only, and would keep a cookie that was taken
//! back by a date in another one.

use std::borrow::Cow;

/// The names of the months.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Returns a `set-cookie` value whose `expires` is in the format of HTTP (RFC 9110 section 5.6.7). One that is no date
/// is left out, as if it were not there.
pub(super) fn with_http_date(cookie: &str) -> Cow<'_, str> {
    let is_expires = |attribute: &str| {
        let name = attribute.split('=').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("expires")
    };
    if !cookie.split(';').skip(1).any(is_expires) {
        return Cow::Borrowed(cookie);
    }
    let mut parts = cookie.split(';');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for attribute in parts {
        if !is_expires(attribute) {
            text.extend([";", attribute]);
        } else if let Some(date) = attribute.split_once('=').and_then(|(_, date)| CookieDate::parse(date)) {
            text.extend(["; Expires=", &date.http_date()]);
        }
    }
    Cow::Owned(text)
}

/// A date and time in UTC.
#[derive(Debug, PartialEq, Eq)]
struct CookieDate {
    year: u32,
    /// Its index in [`MONTHS`].
    month: usize,
    day: u32,
    /// Hour, minute and second.
    time: [u32; 3],
}

impl CookieDate {
    /// Parses a date; `None` if the algorithm fails.
    fn parse(text: &str) -> Option<Self> {
        let (mut time, mut day, mut month, mut year) = (None, None, None, None);
        for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
            if time.is_none()
                && let Some(found) = time_of(token)
            {
                time = Some(found);
            } else if day.is_none()
                && let Some(found) = number(token, 1..=2)
            {
                day = Some(found);
            } else if month.is_none()
                && let Some(found) = month_of(token)
            {
                month = Some(found);
            } else if year.is_none() {
                year = number(token, 2..=4);
            }
        }
        let year = match year? {
            year @ 70..=99 => year + 1900,
            year @ 0..=69 => year + 2000,
            year => year,
        };
        let date = Self { year, month: month?, day: day?, time: time? };
        let [hour, minute, second] = date.time;
        let is_valid = (1..=31).contains(&date.day) && year >= 1601 && hour <= 23 && minute <= 59 && second <= 59;
        is_valid.then_some(date)
    }

    /// Returns the date in the format of HTTP. The day of the week is always the same: no parser looks at it.
    fn http_date(&self) -> String {
        let [hour, minute, second] = self.time;
        let (day, month, year) = (self.day, MONTHS[self.month], self.year);
        format!("Thu, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

/// Returns `true` for a character that separates the parts of a date.
const fn is_delimiter(character: char) -> bool {
    matches!(character, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// Returns the number that a part begins with, if it has this many digits.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let end = token.find(|character: char| !character.is_ascii_digit()).unwrap_or(token.len());
    if digits.contains(&end) { token[..end].parse().ok() } else { None }
}

/// Parses `h:m:s`; other characters than digits may follow.
fn time_of(token: &str) -> Option<[u32; 3]> {
    let mut fields = token.splitn(3, ':');
    let mut whole = || fields.next().filter(|field| field.bytes().all(|byte| byte.is_ascii_digit()));
    let (hour, minute) = (number(whole()?, 1..=2)?, number(whole()?, 1..=2)?);
    Some([hour, minute, number(fields.next()?, 1..=2)?])
}

fn month_of(token: &str) -> Option<usize> {
    let name = token.get(..3)?;
    MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_as_browsers_do() {
        let written = "a=1; Expires=Thu, 09 Jun 2027 10:18:14 GMT";
        for date in [
            "Wed, 09 Jun 2027 10:18:14 GMT",
            "Wed, 9 Jun 2027 10:18:14 GMT",
            "Wed, 09 Jun 2027 10:18:14 UTC",
            "Wed, 09 Jun 2027 10:18:14 +0000",
            "Wednesday, 09-Jun-27 10:18:14 GMT",
            "Wed Jun  9 10:18:14 2027",
            "\"Wed, 09 Jun 2027 10:18:14 GMT\"",
            "2027 june 9 10:18:14",
        ] {
            assert_eq!(with_http_date(&format!("a=1; eXpires={date}")), written, "{date}");
        }
        let between = with_http_date("a=1; Path=/; expires=Thu, 1-Jan-70 0:0:1 UTC; Secure");
        assert_eq!(between, "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Secure");
    }

    #[test]
    fn what_is_no_date_is_left_out() {
        for date in
            ["", "0", "never", "Wed, 09 Jun 2027", "Wed, 32 Jun 2027 10:18:14", "9 Jun 1500 1:2:3", "9 Jun 2027 24:0:0"]
        {
            assert_eq!(with_http_date(&format!("a=1; Expires={date}; Secure")), "a=1; Secure", "{date}");
        }
        assert_eq!(with_http_date("expires=1; Path=/"), "expires=1; Path=/");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[;=:0-9a-zA-Zü +-]{0,60}", date in any::<String>()) {
            let _ = with_http_date(&text);
            let _ = with_http_date(&format!("a=1; expires={date}"));
        }
    }
}
