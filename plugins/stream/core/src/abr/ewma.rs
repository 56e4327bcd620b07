//! Exponentially weighted moving averages, of which most players build their bandwidth estimate.

use super::math::exp2;

/// A moving average, corrected for the time before its first sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ewma {
    /// The weight after which a sample counts half.
    half_life: f64,
    sum: f64,
    weight: f64,
}

impl Ewma {
    pub(crate) fn new(half_life: f64) -> Self {
        Self { half_life, sum: 0.0, weight: 0.0 }
    }

    pub(crate) fn sample(&mut self, weight: f64, value: f64) {
        let kept = exp2(-weight / self.half_life);
        self.sum = value * (1.0 - kept) + kept * self.sum;
        self.weight += weight;
    }

    /// Returns the average; 0 without a sample.
    pub(crate) fn get(&self) -> f64 {
        let seen = 1.0 - exp2(-self.weight / self.half_life);
        if seen > 0.0 { self.sum / seen } else { 0.0 }
    }

    /// Returns the sum of all weights.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_has_no_bias_towards_zero() {
        let mut average = Ewma::new(3.0);
        assert!(average.get() == 0.0);
        average.sample(0.1, 1000.0);
        assert!((average.get() - 1000.0).abs() < 1e-9);
        // After one half-life, old and new samples count alike, but for what came before the first.
        let mut average = Ewma::new(3.0);
        average.sample(300.0, 0.0);
        average.sample(3.0, 1000.0);
        assert!((average.get() - 500.0).abs() < 1e-9);
        assert!((average.weight() - 303.0).abs() < 1e-9);
    }
}
