//! The unit of time of streams. Playlists have milliseconds and samples have ticks of their own; microseconds are fine
//! enough for both and leave room for 500,000 years.

/// Microseconds; on the time axis of a stream they count from its beginning.
pub(crate) type Micros = u64;

/// One second.
pub(crate) const SECOND: Micros = 1_000_000;

/// Parses a duration such as `1920ms`, `4s`, `30m` or `2h`.
pub(crate) fn parse_duration(text: &str) -> Option<Micros> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = match &text[digits..] {
        "ms" => 1_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

/// A duration as a decimal number of seconds with milliseconds, as playlists have it.
pub(crate) struct Seconds(pub(crate) Micros);

impl std::fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = self.0.saturating_add(500) / 1_000;
        write!(formatter, "{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, micros) in [("1920ms", 1_920_000), ("4s", 4_000_000), ("30m", 1_800_000_000), ("0s", 0)] {
            assert_eq!(parse_duration(text), Some(micros), "{text}");
        }
        for text in ["", "4", "s", "4 s", "-4s", "1.5s", "99999999999999999999s", "9999999999999999h", "4é"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_rounded_to_milliseconds() {
        assert_eq!(Seconds(4_000_000).to_string(), "4.000");
        assert_eq!(Seconds(2_005_333).to_string(), "2.005");
        assert_eq!(Seconds(999_999).to_string(), "1.000");
    }
}
