//! Arithmetic on the figures of the rounds: medians, spreads, ratios, and the targets that they are compared with.

use std::fmt;

/// The median and the range of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The middle figure, or the mean of the two in the middle.
    pub(crate) median: f64,
    /// The smallest figure.
    pub(crate) least: f64,
    /// The largest figure.
    pub(crate) most: f64,
    /// The number of figures.
    pub(crate) count: usize,
}

impl Spread {
    /// Returns the spread of any number of figures, or `None` if there are none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Some(Self { median, least, most, count: sorted.len() })
    }
}

/// Returns the spread of the ratios of two figures, taken within each round, so that a machine that is slow for a while
/// is slow for both. A round that one side missed is left out.
pub(crate) fn ratio(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Option<Spread> {
    let both = ours.iter().zip(theirs).filter_map(|(ours, theirs)| Some((*ours)? / (*theirs)?));
    Spread::of(both.filter(|ratio| ratio.is_finite()))
}

/// A bound on a median.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// At most this figure.
    AtMost(f64),
    /// At least this figure.
    AtLeast(f64),
}

impl Bound {
    /// Returns `true` if the figure is within the bound.
    pub(crate) fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

/// Formats a figure: whole and grouped from 1000, with three decimals below 10.
pub(crate) fn format_figure(figure: f64) -> String {
    match figure.abs() {
        1000.0.. => format_count(figure),
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        _ => format!("{figure:.3}"),
    }
}

/// Formats a count: whole, in groups of three digits.
pub(crate) fn format_count(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64, least: f64, most: f64, count: usize) -> Option<Spread> {
        Some(Spread { median, least, most, count })
    }

    #[test]
    fn the_median_is_the_middle_figure_or_the_mean_of_the_two_in_the_middle() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0]), spread(3.0, 3.0, 3.0, 1));
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), spread(2.0, 1.0, 3.0, 3));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 8.0]), spread(3.0, 1.0, 8.0, 4));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The second round ran on a machine half as fast: the ratio does not show it.
        assert_eq!(ratio(&[Some(2.0), Some(4.0)], &[Some(1.0), Some(2.0)]), spread(2.0, 2.0, 2.0, 2));
    }

    #[test]
    fn a_round_that_one_side_missed_is_left_out() {
        assert_eq!(ratio(&[Some(2.0), None, Some(3.0)], &[Some(1.0), Some(2.0)]), spread(2.0, 2.0, 2.0, 1));
        assert_eq!(ratio(&[Some(2.0)], &[Some(0.0)]), None);
        assert_eq!(ratio(&[Some(2.0)], &[]), None);
    }

    #[test]
    fn a_bound_includes_its_own_figure() {
        assert!(Bound::AtMost(1.15).holds(1.15) && !Bound::AtMost(1.15).holds(1.151));
        assert!(Bound::AtLeast(9.0).holds(9.0) && !Bound::AtLeast(9.0).holds(8.9));
        assert_eq!(Bound::AtMost(1.15).to_string(), "≤ 1.15");
        assert_eq!(Bound::AtLeast(9.0).to_string(), "≥ 9");
    }

    #[test]
    fn figures_have_the_digits_that_count() {
        let cases = [(1_234_567.8, "1 234 568"), (-1234.0, "-1 234"), (123_456.0, "123 456"), (1000.0, "1 000")];
        let small = [(123.45, "123"), (12.34, "12.3"), (1.0004, "1.000"), (0.0, "0.000"), (0.0123, "0.012")];
        for (figure, text) in cases.into_iter().chain(small) {
            assert_eq!(format_figure(figure), text);
        }
        assert_eq!([64.0, 999.6, 0.0].map(format_count), ["64", "1 000", "0"]);
    }
}
