//! Numbers for people to read, formatted alike in the table, the progress line and messages. Pure functions.

/// Formats a count for a narrow column: `999`, `3.2k`, `9k`, `120k`, `1.2M`, `5G`. It is rounded, for display only.
pub(super) fn count(number: u64) -> String {
    let mut scaled = number as f64;
    for unit in ["", "k", "M"] {
        // From 999.5 on, `short` would show 1000.
        if scaled < 999.5 || (unit.is_empty() && number < 1_000) {
            return if unit.is_empty() { number.to_string() } else { format!("{}{unit}", short(scaled)) };
        }
        scaled /= 1000.0;
    }
    format!("{}G", short(scaled))
}

/// Formats a number: below 100 with one decimal unless that is zero, from there on with none.
pub(super) fn short(value: f64) -> String {
    if value < 99.95 { decimal(value) } else { format!("{value:.0}") }
}

/// Formats a number with one decimal, left out if it is zero.
fn decimal(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), Into::into)
}

/// Formats a whole number in groups of three digits: `12 012`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Formats a number in groups of three digits, with one decimal, left out if it is zero: `108.3`, `12 345.6`.
pub(super) fn grouped_decimal(value: f64) -> String {
    let tenths = (value * 10.0).round() as u64;
    let whole = grouped(tenths / 10);
    if tenths.is_multiple_of(10) { whole } else { format!("{whole}.{}", tenths % 10) }
}

/// Formats a latency given in microseconds, to about three digits, with `gap` between number and unit: `850µs`,
/// `1.24ms`, `34ms`, `12.3s`.
pub(super) fn latency(micros: f64, gap: &str) -> String {
    match micros {
        // Each limit is the value that rounding would carry into the next form.
        m if m < 999.5 => format!("{m:.0}{gap}µs"),
        m if m < 9_995.0 => format!("{:.2}{gap}ms", m / 1e3),
        m if m < 9_999_500.0 => format!("{:.0}{gap}ms", m / 1e3),
        m => format!("{:.1}{gap}s", m / 1e6),
    }
}

/// Formats a long duration given in microseconds: `850 ms`, `12.3 s`, `120 s`.
pub(super) fn seconds(micros: u64) -> String {
    match micros as f64 / 1e6 {
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s => format!("{} s", decimal(s)),
    }
}

/// Formats a share of a whole in percent, to one decimal. A share that would round to 0 % or 100 % without being
/// exactly that has two decimals: `0.01 %` at least, `99.99 %` at most. A share of nothing is 0 %.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".into();
    }
    if part >= whole {
        return "100 %".into();
    }
    let share = part as f64 / whole as f64;
    match (share * 1e3).round() as u64 {
        0 => format!("{:.2} %", (share * 1e2).max(0.01)),
        1000 => format!("{:.2} %", (share * 1e4).floor().min(9_999.0) / 1e2),
        tenths => format!("{} %", decimal(tenths as f64 / 10.0)),
    }
}

/// Formats bytes in units of 10^6, to about three digits; values above zero that round to less than 0.001 are
/// `< 0.001`.
pub(super) fn megabytes(bytes: f64) -> String {
    match bytes / 1e6 {
        0.0 => "0".into(),
        mb if mb < 0.0005 => "< 0.001".into(),
        mb if mb < 0.9995 => format!("{mb:.3}"),
        mb if mb < 9.995 => format!("{mb:.2}"),
        mb if mb < 99.95 => format!("{mb:.1}"),
        mb => grouped(mb.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (3_240, "3.2k"),
            (9_000, "9k"),
            (99_949, "99.9k"),
            (120_400, "120k"),
            (999_499, "999k"),
            (999_500, "1M"),
            (1_234_567, "1.2M"),
            (5_000_000_000, "5G"),
            (u64::MAX, "18446744074G"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text, "{number}");
        }
    }

    #[test]
    fn groups_of_digits() {
        assert_eq!([0, 999, 1_000, 12_012, 1_234_567].map(grouped), ["0", "999", "1 000", "12 012", "1 234 567"]);
        assert_eq!([0.0, 108.34, 9_999.96, 12_345.6].map(grouped_decimal), ["0", "108.3", "10 000", "12 345.6"]);
    }

    #[test]
    fn latencies_change_form_without_a_gap() {
        let cases = [
            (0.0, "0µs"),
            (850.0, "850µs"),
            (999.4, "999µs"),
            (999.6, "1.00ms"),
            (1_240.0, "1.24ms"),
            (9_994.0, "9.99ms"),
            (9_996.0, "10ms"),
            (34_015.0, "34ms"),
            (9_999_400.0, "9999ms"),
            (9_999_600.0, "10.0s"),
            (12_345_678.0, "12.3s"),
            (3_600_000_000.0, "3600.0s"),
        ];
        for (micros, text) in cases {
            assert_eq!(latency(micros, ""), text, "{micros}");
        }
        assert_eq!(latency(58_000.0, " "), "58 ms");
    }

    #[test]
    fn long_durations() {
        assert_eq!(
            [0, 850_000, 999_600, 12_340_000, 120_030_000].map(seconds),
            ["0 ms", "850 ms", "1 s", "12.3 s", "120 s"]
        );
    }

    #[test]
    fn percentages_are_never_rounded_to_all_or_nothing() {
        let cases = [
            ("of nothing", 0, 0, "0 %"),
            ("nothing", 0, 7, "0 %"),
            ("all", 7, 7, "100 %"),
            ("one in a thousand missing", 12_000, 12_012, "99.9 %"),
            ("would round up to all", 99_999, 100_000, "99.99 %"),
            ("one in 10^15 missing", 999_999_999_999_999, 1_000_000_000_000_000, "99.99 %"),
            ("two decimals where one would be all", 9_996, 10_000, "99.96 %"),
            ("would round down to nothing", 1, 1_000_000, "0.01 %"),
            ("two decimals where one would be nothing", 4, 10_000, "0.04 %"),
            ("half", 1, 2, "50 %"),
            ("a third", 1, 3, "33.3 %"),
        ];
        for (case, part, whole, text) in cases {
            assert_eq!(percent(part, whole), text, "{case}");
        }
    }

    #[test]
    fn amounts_of_data() {
        let cases = [
            (0.0, "0"),
            (499.0, "< 0.001"),
            (500.0, "0.001"),
            (1_240_000.0, "1.24"),
            (12_345_678.0, "12.3"),
            (123_456_789.0, "123"),
            (1_234_567_890.0, "1 235"),
        ];
        for (bytes, text) in cases {
            assert_eq!(megabytes(bytes), text, "{bytes}");
        }
    }
}
