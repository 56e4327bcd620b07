//! The functions that bandwidth rules need, of additions and multiplications alone: those of the platform differ in the
//! last digit between machines and WebAssembly, so that a session would not be the same everywhere.

use std::f64::consts::{LN_2, LOG2_E};

/// Returns 2 to the power of a number between -1000 and 1000; numbers beyond count as these.
pub(crate) fn exp2(x: f64) -> f64 {
    let x = if x.is_nan() { 0.0 } else { x.clamp(-1000.0, 1000.0) };
    let whole = x.floor();
    // The series of e^y converges quickly for y below ln 2.
    let y = (x - whole) * LN_2;
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..20 {
        term *= y / f64::from(n);
        sum += term;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the number is between -1000 and 1000")]
    let exponent = whole as i32;
    let factor = if exponent < 0 { 0.5 } else { 2.0 };
    (0..exponent.unsigned_abs()).fold(sum, |value, _| value * factor)
}

/// Returns e to the power of a number.
pub(crate) fn exp(x: f64) -> f64 {
    exp2(x * LOG2_E)
}

/// Returns the natural logarithm of a positive number; that of other numbers is 0.
pub(crate) fn ln(x: f64) -> f64 {
    if !(x > 0.0 && x.is_finite()) {
        return 0.0;
    }
    let (mut mantissa, mut halvings) = (x, 0.0);
    while mantissa > 1.5 {
        mantissa *= 0.5;
        halvings += 1.0;
    }
    while mantissa < 0.75 {
        mantissa *= 2.0;
        halvings -= 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)).
    let y = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut sum, mut power) = (0.0, y);
    for n in (1..40).step_by(2) {
        sum += power / f64::from(n);
        power *= y * y;
    }
    2.0 * sum + halvings * LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_those_of_the_platform() {
        for x in [-40.5, -3.0, -0.3, 0.0, 1e-9, 0.5, 1.0, 7.25] {
            assert!((exp2(x) / f64::exp2(x) - 1.0).abs() < 1e-14, "2^{x}");
            assert!((exp(x) / f64::exp(x) - 1.0).abs() < 1e-13, "e^{x}");
        }
        for x in [1e-6, 0.1, 0.75, 1.0, 1.5, 2.0, 1e6] {
            assert!((ln(x) - f64::ln(x)).abs() < 1e-13, "ln {x}");
        }
        assert!(exp2(f64::NAN) == 1.0 && exp2(-1e9) < 1e-300 && exp2(1e9).is_finite());
        assert!(ln(0.0) == 0.0 && ln(-1.0) == 0.0 && ln(f64::INFINITY) == 0.0);
    }
}
