//! The unit of time of a viewer. One integer type for instants and durations keeps the player's arithmetic exact, so
//! that a session gives the same numbers natively and in WebAssembly.

/// Microseconds: an instant since the run began, an instant of a wall clock since 1970, a time of a presentation, or a
/// duration. Each use says which.
pub type Micros = i64;

/// A second.
pub const SECOND: Micros = 1_000_000;

/// A millisecond.
pub const MILLISECOND: Micros = 1_000;

/// Converts a number of ticks to microseconds, rounded down; a timescale of 0 counts as 1.
#[must_use]
pub fn from_ticks(ticks: i64, timescale: u64) -> Micros {
    let micros = (i128::from(ticks) * i128::from(SECOND)).div_euclid(i128::from(timescale.max(1)));
    Micros::try_from(micros).unwrap_or(if micros < 0 { Micros::MIN } else { Micros::MAX })
}

/// Converts seconds to microseconds; `None` unless they are a finite number of less than 10,000 years.
#[must_use]
pub fn from_seconds(seconds: f64) -> Option<Micros> {
    #[expect(clippy::cast_possible_truncation, reason = "the product is below 2^63")]
    (seconds.abs() < 3.2e11).then(|| (seconds * 1e6).round() as Micros)
}

/// Converts microseconds to seconds.
#[must_use]
pub fn to_seconds(micros: Micros) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
    let exact = micros as f64;
    exact / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_exact_beyond_what_a_double_holds() {
        for (case, ticks, timescale, micros) in [
            ("seconds", 7, 1, 7_000_000),
            ("a third, rounded down", 1, 3, 333_333),
            ("before the origin", -1, 3, -333_334),
            ("since 1970 at 90 kHz", 133_203_994_990_001, 90_000, 1_480_044_388_777_788),
            ("at 10 MHz", 14_800_443_887_777_881, 10_000_000, 1_480_044_388_777_788),
            ("no timescale", 5, 0, 5_000_000),
            ("too large", i64::MAX, 1, i64::MAX),
        ] {
            assert_eq!(from_ticks(ticks, timescale), micros, "{case}");
        }
    }

    #[test]
    fn seconds_are_rounded_and_bounded() {
        assert_eq!(from_seconds(5.760_000_4), Some(5_760_000));
        assert_eq!(from_seconds(f64::NAN), None);
        assert_eq!(from_seconds(1e300), None);
        assert!((to_seconds(1_500_000) - 1.5).abs() < 1e-12);
    }
}
