//! The state of thresholds while a run goes on, for those who watch it. It decides nothing: the verdicts are those of
//! the [`Judge`], which reads the same seconds.

use super::sums::Sums;
use super::{Judge, LiveThreshold, ThresholdRule};
use crate::metrics::interval::Interval;

/// The thresholds of a run and their sums so far.
#[derive(Debug)]
pub(crate) struct LiveThresholds {
    rules: Vec<ThresholdRule>,
    judge: Judge,
    sums: Vec<Sums>,
    /// Number of seconds so far.
    seconds: u32,
}

impl LiveThresholds {
    /// Creates the state before the first second.
    pub(crate) fn new(rules: &[ThresholdRule]) -> Self {
        let sums = rules.iter().map(|_| Sums::default()).collect();
        Self { rules: rules.to_vec(), judge: Judge::new(rules), sums, seconds: 0 }
    }

    /// Adds the counts of a second of the load, the first of which is 0.
    pub(crate) fn add(&mut self, second: u32, counts: &Interval) {
        self.judge.add(second, counts);
        self.judge.judge(second, None);
        for (sums, rule) in self.sums.iter_mut().zip(&self.rules).filter(|(_, rule)| rule.window.is_none()) {
            sums.add(&Sums::of_interval(&rule.measure, counts));
        }
        self.seconds = self.seconds.max(second + 1);
    }

    /// Returns the state of each threshold, in order.
    pub(crate) fn states(&self) -> impl Iterator<Item = LiveThreshold> {
        let all = self.rules.iter().zip(&self.sums).zip(self.judge.windows());
        all.map(|((rule, sums), window)| match rule.window {
            Some(_) => window,
            None => {
                let value = sums.number(rule, f64::from(self.seconds));
                LiveThreshold { holds: value.map(|value| rule.holds(value)), value }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::threshold::{Measure, RowMeasure};
    use crate::script::threshold_syntax::{Aggregation, Comparison, Quantity};

    fn rule(window: Option<u32>, limit: f64) -> ThresholdRule {
        ThresholdRule {
            metric: "http_reqs".into(),
            expression: String::new(),
            measure: Measure::Rows(RowMeasure::Requests, vec![0]),
            aggregation: Aggregation::Count,
            comparison: Comparison::Less,
            limit,
            quantity: Quantity::Number,
            window,
            abort: None,
        }
    }

    fn second(requests: u64) -> Interval {
        let mut interval = Interval::new(1);
        interval.rows[0].ok = requests;
        interval
    }

    #[test]
    fn thresholds_are_shown_as_they_stand() {
        let mut live = LiveThresholds::new(&[rule(None, 10.0), rule(Some(2), 5.0)]);
        let states = |live: &LiveThresholds| {
            let shown = live.states().map(|state| (state.holds, state.value.map(|value| value.value)));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(states(&live), [(Some(true), Some(0.0)), (None, None)]);
        live.add(0, &second(3));
        assert_eq!(states(&live), [(Some(true), Some(3.0)), (None, None)], "no window is whole yet");
        live.add(1, &second(1));
        assert_eq!(states(&live), [(Some(true), Some(4.0)), (Some(true), Some(4.0))]);
        live.add(2, &second(6));
        assert_eq!(states(&live), [(Some(false), Some(10.0)), (Some(false), Some(7.0))]);
        live.add(3, &second(0));
        assert_eq!(states(&live)[1], (Some(false), Some(7.0)), "one window failed");
    }
}
