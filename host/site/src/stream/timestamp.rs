//! Wall-clock times as manifests and header fields have them: ISO 8601 and the date of HTTP (RFC 9110, section 5.6.7).
//! Both are of UTC, without leap seconds.

use std::fmt;

use super::micros::{Micros, SECOND};

const DAY_SECONDS: u64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time since the Unix epoch, shown as `2026-12-01T00:00:00.000Z`.
pub(crate) struct IsoTime(pub(crate) Micros);

/// A time since the Unix epoch, shown as `Tue, 01 Dec 2026 00:00:00 GMT`.
pub(crate) struct HttpDate(pub(crate) Micros);

/// A day of the Gregorian calendar.
struct CivilDate {
    year: u64,
    /// 1 to 12.
    month: u64,
    /// 1 to 31.
    day: u64,
}

impl CivilDate {
    /// Converts days since the Unix epoch. Years are counted from March, so that a leap day is the last of its year.
    fn of_days(days: u64) -> Self {
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self { year: era * 400 + year_of_era + u64::from(month <= 2), month, day }
    }
}

/// Hours, minutes and seconds of a day.
struct TimeOfDay {
    hours: u64,
    minutes: u64,
    seconds: u64,
}

impl TimeOfDay {
    fn of_seconds(seconds: u64) -> Self {
        let second_of_day = seconds % DAY_SECONDS;
        Self { hours: second_of_day / 3_600, minutes: second_of_day / 60 % 60, seconds: second_of_day % 60 }
    }
}

impl fmt::Display for IsoTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, milliseconds) = (self.0 / SECOND, self.0 % SECOND / 1_000);
        let CivilDate { year, month, day } = CivilDate::of_days(seconds / DAY_SECONDS);
        let TimeOfDay { hours, minutes, seconds } = TimeOfDay::of_seconds(seconds);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}Z")
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0 / SECOND / DAY_SECONDS;
        let CivilDate { year, month, day } = CivilDate::of_days(days);
        let TimeOfDay { hours, minutes, seconds } = TimeOfDay::of_seconds(self.0 / SECOND);
        let weekday = WEEKDAYS[(days % 7) as usize];
        let month = MONTHS[(month - 1) as usize];
        write!(formatter, "{weekday}, {day:02} {month} {year:04} {hours:02}:{minutes:02}:{seconds:02} GMT")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, iso, date) in [
            (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "2000-03-01T00:00:00.000Z", "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_796_083_199, "2026-11-30T23:59:59.000Z", "Mon, 30 Nov 2026 23:59:59 GMT"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(IsoTime(seconds * SECOND).to_string(), iso);
            assert_eq!(HttpDate(seconds * SECOND).to_string(), date);
        }
        assert_eq!(IsoTime(1_234_567).to_string(), "1970-01-01T00:00:01.234Z");
    }
}
