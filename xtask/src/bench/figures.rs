//! What is made of the rounds' figures: medians, spreads, ratios, and bounds to hold them against.

use std::fmt;

/// A median, and how far the single figures lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of the figures are below it.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// How many there are.
    pub count: usize,
}

impl Spread {
    /// Of any number of figures; none have no median.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Some(Self { median, least, most, count: sorted.len() })
    }
}

/// What one side cost for each unit of the other, taken within each round, so that a machine that is slow for a while
/// is slow for both. A round that one side missed is left out.
pub fn ratio(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Option<Spread> {
    let both = ours.iter().zip(theirs).filter_map(|(ours, theirs)| Some((*ours)? / (*theirs)?));
    Spread::of(both.filter(|ratio| ratio.is_finite()))
}

/// What a median should be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Bound {
    /// Whether a figure is as it should be.
    pub fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

/// A figure as it is shown: whole and grouped if large, with three decimals if small.
pub fn shown(figure: f64) -> String {
    match figure.abs() {
        1000.0.. => whole(figure),
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        _ => format!("{figure:.3}"),
    }
}

/// A count as it is shown: whole, in groups of three digits.
pub fn whole(figure: f64) -> String {
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
    fn the_median_is_the_middle_or_the_mean_of_the_two_in_it() {
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
    fn a_bound_holds_at_its_very_figure() {
        assert!(Bound::AtMost(1.15).holds(1.15) && !Bound::AtMost(1.15).holds(1.151));
        assert!(Bound::AtLeast(9.0).holds(9.0) && !Bound::AtLeast(9.0).holds(8.9));
        assert_eq!(Bound::AtMost(1.15).to_string(), "≤ 1.15");
        assert_eq!(Bound::AtLeast(9.0).to_string(), "≥ 9");
    }

    #[test]
    fn figures_are_shown_with_the_digits_that_count() {
        let cases = [(1_234_567.8, "1 234 568"), (-1234.0, "-1 234"), (123_456.0, "123 456"), (1000.0, "1 000")];
        let small = [(123.45, "123"), (12.34, "12.3"), (1.0004, "1.000"), (0.0, "0.000"), (0.0123, "0.012")];
        for (figure, text) in cases.into_iter().chain(small) {
            assert_eq!(shown(figure), text);
        }
        assert_eq!([64.0, 999.6, 0.0].map(whole), ["64", "1 000", "0"]);
    }
}
