//! A load over time, in straight lines. It may be a number of users or of arrivals per second.
//!
//! Let `v(t)` be the value at time `t`, and `A(t)` the area under it from 0 to `t`, in value times seconds. A ramp, a
//! step or a spike then needs three things only: `v(t)`, `A(t)`, and the time from which `A(t) > a`.

use std::ops::Range;
use std::time::Duration;

use stampede_time::{Nanos, nanos};

/// A stage: a straight line from the value before it to `target`. A stage of length 0 is a jump.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Its length.
    pub duration: Duration,
    /// The value at its end, zero or more.
    pub target: f64,
}

/// A load over time, from 0 to the end of the last stage.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadProfile {
    ramps: Vec<Ramp>,
}

/// A stage that takes time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ramp {
    begin: Nanos,
    end: Nanos,
    from: f64,
    to: f64,
    /// The area before it.
    area_before: f64,
}

impl LoadProfile {
    /// Returns a constant value for some time.
    pub fn constant(value: f64, duration: Duration) -> Self {
        Self::new(value, &[Stage { duration, target: value }])
    }

    /// Returns a profile that begins at `start` and goes through the stages.
    pub fn new(start: f64, stages: &[Stage]) -> Self {
        let (mut lines, mut begin, mut from, mut before) = (Vec::new(), 0, start, 0.0);
        for stage in stages {
            let line = Ramp {
                begin,
                end: nanos(stage.duration).saturating_add(begin),
                from,
                to: stage.target,
                area_before: before,
            };
            if line.end > line.begin {
                before += line.area(line.end);
                lines.push(line);
            }
            (begin, from) = (line.end, line.to);
        }
        Self { ramps: lines }
    }

    /// Returns the profile with every value times `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        let scaled = |line: &Ramp| Ramp {
            from: line.from * factor,
            to: line.to * factor,
            area_before: line.area_before * factor,
            ..*line
        };
        Self { ramps: self.ramps.iter().map(scaled).collect() }
    }

    /// Returns when the last stage ends.
    pub fn end(&self) -> Nanos {
        self.ramps.last().map_or(0, |line| line.end)
    }

    /// Returns the highest value.
    pub fn peak(&self) -> f64 {
        self.ramps.iter().map(|line| line.from.max(line.to)).fold(0.0, f64::max)
    }

    /// Returns `A(end)`, the whole area.
    pub fn area(&self) -> f64 {
        self.ramps.last().map_or(0.0, |line| line.area_before + line.area(line.end))
    }

    /// Returns `A(at)`, the area up to a time.
    pub fn area_until(&self, at: Nanos) -> f64 {
        let line = self.ramps.iter().rev().find(|line| line.begin <= at);
        line.map_or(0.0, |line| line.area_before + line.area(at.min(line.end)))
    }

    /// Returns the time from which `A(t) > area`, rounded up to a nanosecond so that it is never early; `None` if that
    /// is not before the end.
    pub fn time_above_area(&self, area: f64) -> Option<Nanos> {
        let after = self.ramps.partition_point(|line| line.area_before + line.area(line.end) <= area);
        let line = self.ramps.get(after)?;
        Some(line.time_of(area - line.area_before)).filter(|time| *time < self.end())
    }

    /// Returns the spans of time in which the value is above `level`, in order.
    pub fn spans_above(&self, level: f64) -> Vec<Range<Nanos>> {
        let mut spans: Vec<Range<Nanos>> = Vec::new();
        for span in self.ramps.iter().filter_map(|line| line.above(level)) {
            match spans.last_mut() {
                Some(last) if last.end >= span.start => last.end = span.end,
                _ => spans.push(span),
            }
        }
        spans
    }
}

impl Ramp {
    /// Returns the area from its beginning to `at`: `from·x + slope·x²/2`, with `x` in seconds.
    fn area(&self, at: Nanos) -> f64 {
        let x = seconds(at - self.begin);
        x * (self.from + 0.5 * self.slope() * x)
    }

    /// Returns the change of the value per second.
    fn slope(&self) -> f64 {
        (self.to - self.from) / seconds(self.end - self.begin)
    }

    /// Returns when the area reaches a value: the root of `slope·x²/2 + from·x = area`, in the form without
    /// cancellation, `x = 2·area / (from + √(from² + 2·slope·area))`.
    fn time_of(&self, area: f64) -> Nanos {
        if area <= 0.0 {
            return self.begin;
        }
        let root = self.from.mul_add(self.from, 2.0 * self.slope() * area).max(0.0).sqrt();
        let x = 2.0 * area / (self.from + root);
        self.begin.saturating_add((x * 1e9).ceil() as Nanos).min(self.end)
    }

    /// Returns the span in which it is above a level.
    fn above(&self, level: f64) -> Option<Range<Nanos>> {
        let crosses = || {
            let share = (level - self.from) / (self.to - self.from);
            self.begin + (share * (self.end - self.begin) as f64).ceil() as Nanos
        };
        match (self.from > level, self.to > level) {
            (true, true) => Some(self.begin..self.end),
            (true, false) => Some(self.begin..crosses()),
            (false, true) => Some(crosses()..self.end),
            (false, false) => None,
        }
        .filter(|span| span.start < span.end)
    }
}

fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stampede_time::SECOND;

    use super::*;

    fn stages(typed: &[(u64, f64)]) -> Vec<Stage> {
        typed
            .iter()
            .map(|&(milliseconds, target)| Stage { duration: Duration::from_millis(milliseconds), target })
            .collect()
    }

    #[test]
    fn areas_and_their_times() {
        let ramp = LoadProfile::new(0.0, &stages(&[(10_000, 10.0)]));
        assert_eq!((ramp.area(), ramp.end(), ramp.peak()), (50.0, 10 * SECOND, 10.0));
        assert_eq!(ramp.time_above_area(12.5), Some(5 * SECOND));
        let spike =
            LoadProfile::new(100.0, &stages(&[(1_000, 100.0), (0, 1_000.0), (500, 1_000.0), (0, 0.0), (1_000, 0.0)]));
        assert_eq!(spike.area(), 600.0);
        for (case, area, expected) in [
            ("the very first", 0.0, Some(0)),
            ("before the spike", 50.0, Some(SECOND / 2)),
            ("in the spike", 350.0, Some(SECOND + SECOND / 4)),
            ("after the last", 600.5, None),
        ] {
            assert_eq!(spike.time_above_area(area), expected, "{case}");
        }
        assert_eq!(LoadProfile::new(5.0, &[]).time_above_area(0.0), None, "no stages, no time");
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init, reason = "one span is meant")]
    fn users_come_and_go_with_the_value() {
        let shape = LoadProfile::new(0.0, &stages(&[(10_000, 100.0), (10_000, 100.0), (10_000, 0.0), (5_000, 50.0)]));
        assert_eq!(shape.spans_above(0.0), [0..35 * SECOND]);
        assert_eq!(shape.spans_above(99.0), [9_900_000_000..20 * SECOND + SECOND / 10]);
        assert_eq!(shape.spans_above(100.0), []);
        assert_eq!(shape.spans_above(25.0)[1], 32 * SECOND + SECOND / 2..35 * SECOND);
    }

    prop_compose! {
        fn shapes()(start in 0.0..1e5_f64, typed in prop::collection::vec((0_u64..100_000, 0.0..1e5_f64), 1..6)) -> LoadProfile {
            LoadProfile::new(start, &stages(&typed))
        }
    }

    proptest! {
        #[test]
        fn nothing_is_early_and_nothing_out_of_order(shape in shapes(), share in 0.0..1.0_f64, more in 0.0..1.0_f64) {
            let area = shape.area() * share;
            if let Some(time) = shape.time_above_area(area) {
                let line = shape.ramps.iter().rev().find(|line| line.begin <= time).unwrap();
                let reached = line.area_before + line.area(time.min(line.end));
                // A float of this size distinguishes areas down to about 1e-9 of the whole.
                prop_assert!(reached >= area - shape.area() * 1e-9, "{reached} of {area} at {time}");
                if let Some(later) = shape.time_above_area(area + (shape.area() - area) * more) {
                    prop_assert!(later >= time);
                }
            }
        }

        #[test]
        fn a_level_is_exceeded_exactly_where_the_value_is(shape in shapes(), level in 0.0..1e5_f64) {
            let spans = shape.spans_above(level);
            prop_assert!(spans.windows(2).all(|pair| pair[0].end < pair[1].start));
            for line in &shape.ramps {
                let middle = line.begin + (line.end - line.begin) / 2;
                let value = (line.from + line.to) / 2.0;
                if (value - level).abs() > 1.0 {
                    let inside = spans.iter().any(|span| span.contains(&middle));
                    prop_assert_eq!(inside, value > level);
                }
            }
        }

        #[test]
        fn the_area_is_the_sum_of_the_stages_and_is_reached_no_later_than_it_has_to_be(
            start in 0.0..1e4_f64,
            typed in prop::collection::vec((0_u64..100_000, 0.0..1e4_f64), 1..6),
            share in 0.0..1.0_f64,
        ) {
            let shape = LoadProfile::new(start, &stages(&typed));
            let (mut from, mut sum) = (start, 0.0);
            for (milliseconds, to) in typed {
                sum += (from + to) / 2.0 * milliseconds as f64 / 1e3;
                from = to;
            }
            prop_assert!((shape.area() - sum).abs() <= sum * 1e-9, "{} and {sum}", shape.area());
            let area = sum * share;
            if let Some(time) = shape.time_above_area(area) {
                let line = shape.ramps.iter().rev().find(|line| line.begin <= time).unwrap();
                let before = line.area_before + line.area(time.saturating_sub(2).max(line.begin));
                prop_assert!(before <= area + sum * 1e-9 + 1e-6, "{before} of {area}, two nanoseconds before {time}");
            } else {
                // An area is never reached only at the very end, within the precision of a float.
                prop_assert!(area >= sum * (1.0 - 1e-9), "{area} of {sum}");
            }
        }

        #[test]
        fn there_are_as_many_users_at_every_moment_as_the_value_rounded_up(
            start in 0_u32..20,
            typed in prop::collection::vec((0_u64..100_000, 0_u32..20), 1..6),
            share in 0.0..1.0_f64,
        ) {
            let typed: Vec<_> = typed.into_iter().map(|(milliseconds, to)| (milliseconds, f64::from(to))).collect();
            let shape = LoadProfile::new(start.into(), &stages(&typed));
            let moment = (shape.end() as f64 * share) as Nanos;
            if let Some(line) = shape.ramps.iter().find(|line| (line.begin..line.end).contains(&moment)) {
                let value = line.from + line.slope() * seconds(moment - line.begin);
                let there = |user: &u32| {
                    let spans = shape.spans_above(f64::from(*user));
                    spans.iter().any(|span| span.contains(&moment))
                };
                let users = (0..20).filter(there).count() as f64;
                // Where the value is whole, a user comes or goes within the nanosecond.
                if (value - value.round()).abs() > 1e-6 || line.from.to_bits() == line.to.to_bits() {
                    prop_assert_eq!(users, value.ceil());
                }
            }
        }
    }
}
