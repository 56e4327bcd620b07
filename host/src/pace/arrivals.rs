//! Arrivals: the times at which the iterations of an open load model begin. Let `A(t)` be the area under the arrival
//! rate. Arrival `n` (from 0) is due at the time from which `A(t) > n`, so that `⌈A(end)⌉` arrivals are due in all,
//! evenly spaced wherever the rate is constant. Poisson arrivals use a sum of `n + 1` exponential gaps in place of `n`:
//! this is the process of that rate, by the time change of its unit process (Çinlar, *Introduction to Stochastic
//! Processes*, 1975, 4.7).
//!
//! The load may be changed while it runs: from a time on, the rate is multiplied by a scale. Let `N(t)` be the area
//! under the scaled rate. Arrival `n` is due at the time from which `N(t) > n`. Between changes `N` is a linear
//! function of `A`, so the time follows from the same profile, and no arrival is lost or doubled at a change: the
//! numbers continue. At a scale of 0 the area does not grow: arrivals that the plan had in that time are not made up
//! for.
//!
//! Every worker of every segment iterates over all arrivals and takes those that are dealt to its users. So the
//! schedule is the same for any number of workers and segments, with nothing shared. A change has a time of its own for
//! the same reason.

use stampede_time::Nanos;

use super::LoadProfile;
use crate::random::UserRandom;
use crate::segment::Deal;

/// The process by which iterations arrive at a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrivalProcess {
    /// Evenly spaced arrivals.
    #[default]
    Even,
    /// Random arrivals, independent of each other, with this seed.
    Poisson(u64),
}

/// The arrivals of one worker, in order.
#[derive(Clone, Debug)]
pub struct Arrivals {
    rate: LoadProfile,
    /// The number of arrivals skipped or returned so far.
    drawn: u64,
    /// Those of all arrivals that are the worker's; at least some are.
    own: Deal,
    /// The gaps of Poisson arrivals; `None` for even ones.
    gaps: Option<PoissonGaps>,
    /// The scaled area at which the worker's next arrival is due, once it has been drawn.
    next: Option<f64>,
    last_change: RateChange,
}

/// The exponential gaps between Poisson arrivals.
#[derive(Clone, Debug)]
struct PoissonGaps {
    random: UserRandom,
    /// The sum of the gaps so far.
    sum: f64,
}

/// The last change of the load.
#[derive(Clone, Copy, Debug)]
struct RateChange {
    /// The time of the change.
    at: Nanos,
    /// `A` at that time.
    planned_area: f64,
    /// `N` at that time.
    scaled_area: f64,
    /// The factor of the rate since then.
    scale: f64,
}

impl ArrivalProcess {
    /// Returns the number of arrivals of all workers that are due before the area under the rate comes to `area`.
    pub fn count_below(self, area: f64) -> u64 {
        match self {
            Self::Even => area.max(0.0).ceil() as u64,
            Self::Poisson(seed) => {
                let mut gaps = PoissonGaps { random: UserRandom::new(seed, ARRIVALS_STREAM), sum: 0.0 };
                std::iter::repeat_with(|| gaps.next_sum()).take_while(|sum| *sum < area).count() as u64
            }
        }
    }
}

impl PoissonGaps {
    /// Returns the sum of the gaps up to the next arrival.
    fn next_sum(&mut self) -> f64 {
        // 1 − u is in (0, 1]: the logarithm is finite.
        self.sum -= (1.0 - self.random.unit()).ln();
        self.sum
    }
}

/// The number of the arrivals' random stream, which no user has.
const ARRIVALS_STREAM: u32 = u32::MAX;

impl Arrivals {
    /// Returns a worker's own arrivals, at a rate in arrivals per second. It must have users, so that some are its own.
    pub fn new(rate: LoadProfile, process: ArrivalProcess, own: Deal) -> Self {
        let gaps = match process {
            ArrivalProcess::Even => None,
            ArrivalProcess::Poisson(seed) => {
                Some(PoissonGaps { random: UserRandom::new(seed, ARRIVALS_STREAM), sum: 0.0 })
            }
        };
        Self {
            rate,
            drawn: 0,
            own,
            gaps,
            next: None,
            last_change: RateChange { at: 0, planned_area: 0.0, scaled_area: 0.0, scale: 1.0 },
        }
    }

    /// Returns when the worker's next arrival is due if the load stays as it is; `None` if it is not before the end.
    pub fn next_due(&mut self) -> Option<Nanos> {
        let area = match self.next {
            Some(area) => area,
            None => self.draw_own_area(),
        };
        self.next = Some(area);
        let RateChange { at, planned_area, scaled_area, scale } = self.last_change;
        if scale <= 0.0 {
            return None;
        }
        let due = self.rate.time_above_area(planned_area + (area - scaled_area) / scale)?;
        Some(due.max(at))
    }

    /// Moves on to the arrival after the next one.
    pub fn advance(&mut self) {
        if self.next.take().is_none() {
            self.draw_own_area();
        }
    }

    /// Multiplies the planned rate by `scale` from `at` on, which is not before the last change.
    pub fn rescale(&mut self, at: Nanos, scale: f64) {
        let last = self.last_change;
        let at = at.max(last.at);
        let planned_area = self.rate.area_until(at);
        self.last_change = RateChange {
            at,
            planned_area,
            scaled_area: last.scaled_area + last.scale * (planned_area - last.planned_area),
            scale,
        };
    }

    /// Draws the area of the worker's next arrival, skipping those of the others.
    fn draw_own_area(&mut self) -> f64 {
        loop {
            let is_own = self.own.contains(self.drawn);
            let area = self.draw_area();
            if is_own {
                return area;
            }
        }
    }

    /// Draws the area at which the next arrival of any worker is due.
    fn draw_area(&mut self) -> f64 {
        let number = self.drawn;
        self.drawn += 1;
        self.gaps.as_mut().map_or(number as f64, PoissonGaps::next_sum)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use stampede_time::SECOND;

    use super::super::Stage;
    use super::*;
    use crate::segment::{Segment, Stride};

    fn arrivals(rate: &LoadProfile, spread: ArrivalProcess, workers: usize) -> Vec<Nanos> {
        changed(rate, spread, workers, &[])
    }

    /// Returns all arrivals with changes of the load, each applied as soon as no arrival before it is left.
    fn changed(rate: &LoadProfile, spread: ArrivalProcess, workers: usize, changes: &[(Nanos, f64)]) -> Vec<Nanos> {
        let deals: Vec<_> = (0..workers).map(|worker| Deal::new(1_000, Stride::ALL.part(worker, workers))).collect();
        dealt(rate, spread, &deals, changes)
    }

    /// Returns those arrivals of each of these workers, sorted.
    fn dealt(rate: &LoadProfile, spread: ArrivalProcess, deals: &[Deal], changes: &[(Nanos, f64)]) -> Vec<Nanos> {
        let of_worker = |deal: &Deal| {
            let (mut arrivals, mut changes) = (Arrivals::new(rate.clone(), spread, *deal), changes.iter());
            let mut change = changes.next();
            std::iter::from_fn(move || {
                let due = loop {
                    let due = arrivals.next_due();
                    let Some(&(at, scale)) = change.filter(|(at, _)| due.is_none_or(|due| due >= *at)) else {
                        break due;
                    };
                    arrivals.rescale(at, scale);
                    change = changes.next();
                };
                arrivals.advance();
                due
            })
        };
        let mut all: Vec<_> = deals.iter().flat_map(of_worker).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn as_many_arrive_as_there_is_area() {
        let stage = |milliseconds, target| Stage { duration: Duration::from_millis(milliseconds), target };
        for (case, start, stages, expected) in [
            ("a constant rate", 500.0, vec![stage(2_000, 500.0)], 1_000),
            ("a rate below one a second", 0.1, vec![stage(60_000, 0.1)], 6),
            ("a ramp from nothing", 0.0, vec![stage(10_000, 100.0)], 500),
            ("a step", 10.0, vec![stage(1_000, 10.0), stage(0, 20.0), stage(1_000, 20.0)], 30),
            ("a spike", 0.0, vec![stage(5_000, 0.0), stage(0, 5_000.0), stage(100, 5_000.0), stage(0, 0.0)], 500),
            ("a part of an arrival", 1.0, vec![stage(1_500, 1.0)], 2),
            ("no rate", 0.0, vec![stage(1_000, 0.0)], 0),
            ("no time", 9.0, vec![], 0),
        ] {
            let rate = LoadProfile::new(start, &stages);
            assert_eq!(arrivals(&rate, ArrivalProcess::Even, 1).len(), expected, "{case}");
        }
    }

    #[test]
    fn arrivals_are_counted_without_being_walked() {
        let rate = LoadProfile::constant(97.0, Duration::from_secs(10));
        for process in [ArrivalProcess::Even, ArrivalProcess::Poisson(3)] {
            let all = arrivals(&rate, process, 1);
            for at in [0, SECOND / 3, SECOND, 7 * SECOND, 10 * SECOND] {
                let before = all.iter().filter(|due| **due < at).count() as u64;
                assert_eq!(process.count_below(rate.area_until(at)), before, "{process:?} before {at}");
            }
        }
    }

    #[test]
    fn a_constant_rate_is_even() {
        let all = arrivals(&LoadProfile::constant(50_000.0, Duration::from_secs(1)), ArrivalProcess::Even, 1);
        assert!(all.iter().enumerate().all(|(number, at)| (number as u64 * 20_000).abs_diff(*at) <= 1));
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_variance_of_their_process() {
        let rate = LoadProfile::constant(1_000.0, Duration::from_secs(100));
        let all = arrivals(&rate, ArrivalProcess::Poisson(7), 1);
        let mut counts = vec![0_f64; 100];
        all.iter().for_each(|at| counts[(at / SECOND) as usize] += 1.0);
        let mean = counts.iter().sum::<f64>() / 100.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 99.0;
        // Five standard deviations of each: the seed is fixed, so this holds always or never.
        assert!((mean - 1_000.0).abs() < 5.0 * (1_000.0_f64 / 100.0).sqrt(), "{mean}");
        assert!((variance - 1_000.0).abs() < 5.0 * 1_000.0 * (2.0_f64 / 99.0).sqrt(), "{variance}");
        assert_ne!(all, arrivals(&rate, ArrivalProcess::Poisson(8), 1));
    }

    #[test]
    fn a_change_holds_from_its_time_on_and_nothing_is_lost_or_made_up_for() {
        let rate = LoadProfile::constant(10.0, Duration::from_secs(10));
        let ramp = LoadProfile::new(0.0, &[Stage { duration: Duration::from_secs(10), target: 100.0 }]);
        for (case, rate, changes, expected) in [
            ("none", &rate, &[][..], 100),
            ("twice as many from half-way on", &rate, &[(5 * SECOND, 2.0)], 150),
            ("a pause of three seconds", &rate, &[(2 * SECOND, 0.0), (5 * SECOND, 1.0)], 70),
            ("a pause that lasts to the end", &rate, &[(2 * SECOND, 0.0)], 20),
            ("a pause before the first", &rate, &[(0, 0.0), (9 * SECOND, 1.0)], 10),
            ("the same again", &rate, &[(SECOND, 1.0), (2 * SECOND, 1.0)], 100),
            ("two at one time: the last one counts", &rate, &[(5 * SECOND, 9.0), (5 * SECOND, 0.5)], 75),
            ("a ramp, its steeper half doubled", &ramp, &[(5 * SECOND, 2.0)], 125 + 750),
            ("after the end", &rate, &[(11 * SECOND, 9.0)], 100),
        ] {
            let all = changed(rate, ArrivalProcess::Even, 1, changes);
            assert_eq!(all.len(), expected, "{case}");
            if let [(from, 0.0), (to, _)] = changes {
                assert!(all.iter().all(|due| due < from || due >= to), "{case}");
                assert!(all.windows(2).all(|pair| pair[1] - pair[0] + 1 >= SECOND / 10), "{case}: no burst");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_the_changes_the_total_is_the_area_as_scaled_and_none_is_early(
            typed in prop::collection::vec((1_u64..5_000, 0.0..300.0_f64), 1..4),
            typed_changes in prop::collection::vec((0_u64..10_000, prop_oneof![Just(0.0), 0.0..10.0_f64]), 0..5),
            workers in 1_usize..4,
            poisson: bool,
        ) {
            let stages: Vec<_> = typed
                .iter()
                .map(|&(milliseconds, target)| Stage { duration: Duration::from_millis(milliseconds), target })
                .collect();
            let rate = LoadProfile::new(50.0, &stages);
            let mut changes: Vec<_> = typed_changes.iter().map(|&(at, scale)| (at * 1_000_000, scale)).collect();
            changes.sort_by_key(|(at, _)| *at);
            let spread = if poisson { ArrivalProcess::Poisson(3) } else { ArrivalProcess::Even };
            let all = changed(&rate, spread, 1, &changes);
            prop_assert_eq!(&changed(&rate, spread, workers, &changes), &all, "for any number of workers");
            // N(t), from its definition.
            let area = |until: Nanos| {
                let mut corners = vec![(0, 1.0)];
                corners.extend(&changes);
                let ends = corners.iter().skip(1).map(|(at, _)| *at).chain([Nanos::MAX]);
                corners.iter().zip(ends).map(|(&(from, scale), to)| {
                    let by = |at: Nanos| rate.area_until(at.min(until));
                    scale * (by(to) - by(from)).max(0.0)
                }).sum::<f64>()
            };
            if !poisson {
                let whole = area(rate.end());
                prop_assert!((all.len() as f64 - whole).abs() <= 1.0, "{} of {whole}", all.len());
                for (number, due) in all.iter().enumerate() {
                    prop_assert!(area(*due) >= number as f64 - 1e-6, "{number} is early");
                    prop_assert!(area(due.saturating_sub(2_000)) <= number as f64 + 1e-6, "{number} is late");
                }
            }
        }

        #[test]
        fn the_schedule_is_the_same_for_any_number_of_workers(
            start in 0.0..500.0_f64,
            typed in prop::collection::vec((0_u64..5_000, 0.0..500.0_f64), 1..4),
            workers in 1_usize..5,
            poisson: bool,
        ) {
            let stages: Vec<_> = typed
                .iter()
                .map(|&(milliseconds, target)| Stage { duration: Duration::from_millis(milliseconds), target })
                .collect();
            let rate = LoadProfile::new(start, &stages);
            let spread = if poisson { ArrivalProcess::Poisson(3) } else { ArrivalProcess::Even };
            let alone = arrivals(&rate, spread, 1);
            prop_assert_eq!(&arrivals(&rate, spread, workers), &alone);
            prop_assert!(alone.iter().all(|at| *at < rate.end().max(1)));
            if !poisson {
                let due = rate.area();
                prop_assert!((alone.len() as f64 - due).abs() <= 1.0, "{} of {due}", alone.len());
            }
        }

        #[test]
        fn segments_have_the_schedule_of_one_process_between_them(
            start in 1.0..300.0_f64,
            target in 0.0..300.0_f64,
            count in 1_u32..=Segment::MAX,
            (users, first_user) in (1_u32..50, 0_u32..50),
            change in prop::option::of((0..SECOND, 0.0..3.0_f64)),
            poisson: bool,
        ) {
            let rate = LoadProfile::new(start, &[Stage { duration: Duration::from_secs(1), target }]);
            let spread = if poisson { ArrivalProcess::Poisson(3) } else { ArrivalProcess::Even };
            let changes: Vec<_> = change.into_iter().collect();
            let segments = (1..=count).filter_map(|number| Segment::new(number, count));
            // As many workers as a machine has, and different ones.
            let workers = segments.flat_map(|segment| {
                let workers = 1 + segment.index() as usize % 3;
                (0..workers).map(move |worker| segment.users().part(worker, workers).counted_from(first_user))
            });
            let with_users = workers.filter(|own| own.users_below(users) > 0);
            let deals: Vec<_> = with_users.map(|own| Deal::new(users, own)).collect();
            let alone = dealt(&rate, spread, &[Deal::new(users, Stride::ALL)], &changes);
            prop_assert_eq!(dealt(&rate, spread, &deals, &changes), alone);
        }

        #[test]
        fn no_arrival_is_early_or_late_and_all_of_them_are_the_integral_of_the_rate(
            start in 0.0..500.0_f64,
            typed in prop::collection::vec((0_u64..5_000, 0.0..500.0_f64), 1..4),
            poisson: bool,
        ) {
            // The integral of the rate up to a time, by its own arithmetic.
            let integral = |at: f64| {
                let (mut from, mut begin, mut area) = (start, 0.0, 0.0);
                for (milliseconds, to) in &typed {
                    let length = *milliseconds as f64 / 1e3;
                    let within = (at - begin).clamp(0.0, length);
                    if length > 0.0 {
                        area += within * (from + (to - from) * within / length / 2.0);
                    }
                    (from, begin) = (*to, begin + length);
                }
                area
            };
            let stages: Vec<_> = typed
                .iter()
                .map(|&(milliseconds, target)| Stage { duration: Duration::from_millis(milliseconds), target })
                .collect();
            let spread = if poisson { ArrivalProcess::Poisson(5) } else { ArrivalProcess::Even };
            let all = arrivals(&LoadProfile::new(start, &stages), spread, 1);
            let mut random = UserRandom::new(5, ARRIVALS_STREAM);
            let mut due = 0.0;
            for (number, at) in all.iter().enumerate() {
                due = if poisson { due - (1.0 - random.unit()).ln() } else { number as f64 };
                let seconds = *at as f64 / 1e9;
                prop_assert!(integral(seconds) >= due - 1e-6, "{number} is early: {seconds}");
                prop_assert!(integral(seconds - 2e-9) <= due + 1e-6, "{number} is late: {seconds}");
            }
            let total = integral(f64::INFINITY);
            let next = if poisson { due - (1.0 - random.unit()).ln() } else { all.len() as f64 };
            prop_assert!(next >= total - 1e-6, "another was due at {next} of {total}");
        }
    }
}
