//! The health of the generator. A worker that is late or has no CPU time left adds its own delays to all latencies; the
//! report must say so rather than blame the site.

use hdrhistogram::Histogram;

use super::duration_stats::{duration_stats, encode};
use super::format;
use super::model::{GeneratorReport, PluginReport, WorkerReport};
use crate::metrics::aggregate::{Aggregate, WorkerHealth};

/// The share of the run above which a worker with an exhausted CPU was a bottleneck. Less is a passing burst, such as
/// all users connecting at once.
const MAX_BUSY_SHARE: f64 = 0.1;

/// The shortest run, in microseconds, from which the CPU can be judged. A shorter one is all start-up.
const MIN_WALL_US: u64 = 1_000_000;

/// The longest acceptable delay of starts at the 99th percentile, in microseconds.
const MAX_START_DELAY_P99_US: u64 = 10_000;

/// Returns the health of the generator. `plugins` are the names in the order of the workers' lists.
pub(super) fn generator_report(aggregate: &Aggregate, plugins: &[String]) -> GeneratorReport {
    let workers: Vec<WorkerReport> = aggregate.workers().iter().map(worker_report).collect();
    let reasons = bottleneck_reasons(&workers, aggregate.start_delay());
    GeneratorReport {
        bottleneck: !reasons.is_empty(),
        reasons,
        workers,
        start_delay_us: duration_stats(aggregate.start_delay()),
        start_delay_histogram: encode(aggregate.start_delay()),
        guests: plugins.iter().enumerate().map(|(index, name)| plugin_report(aggregate, index, name)).collect(),
    }
}

fn worker_report(health: &WorkerHealth) -> WorkerReport {
    let total = &health.total;
    let share = |part: u64| if total.wall == 0 { 0.0 } else { part as f64 / total.wall as f64 };
    WorkerReport {
        cpu_us: total.cpu / 1000,
        wall_us: total.wall / 1000,
        cpu_share: share(total.cpu),
        busy_share: share(health.busy),
        loop_lag_max_us: total.loop_lag_max / 1000,
    }
}

fn plugin_report(aggregate: &Aggregate, index: usize, name: &str) -> PluginReport {
    let sum = |list: fn(&WorkerHealth) -> &Vec<u64>| -> u64 {
        aggregate.workers().iter().filter_map(|worker| list(worker).get(index)).sum()
    };
    PluginReport {
        plugin: name.into(),
        calls: sum(|worker| &worker.total.guest_calls),
        time_us: sum(|worker| &worker.total.guest) / 1000,
        traps: sum(|worker| &worker.total.guest_traps),
        collateral: sum(|worker| &worker.total.guest_collateral),
    }
}

/// Returns the reasons why the generator was the bottleneck; empty if it was not.
pub(super) fn bottleneck_reasons(workers: &[WorkerReport], start_delay: &Histogram<u64>) -> Vec<String> {
    let busiest = workers.iter().enumerate().max_by(|(_, a), (_, b)| a.busy_share.total_cmp(&b.busy_share));
    let busy = busiest.filter(|(_, worker)| worker.busy_share > MAX_BUSY_SHARE && worker.wall_us >= MIN_WALL_US).map(
        |(index, worker)| {
            let share = format::percent((worker.busy_share * 1e6).round() as u64, 1_000_000);
            format!("the CPU of worker {index} was more than 90 % busy for {share} of the run")
        },
    );
    let p99 = if start_delay.is_empty() { 0 } else { start_delay.value_at_quantile(0.99) };
    let late = (p99 > MAX_START_DELAY_P99_US).then(|| {
        let delay = format::latency(p99 as f64, " ");
        format!("1 % of the requests started at least {delay} late")
    });
    busy.into_iter().chain(late).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::histogram;

    fn busy(busy_share: f64) -> WorkerReport {
        WorkerReport { cpu_us: 0, wall_us: 2_000_000, cpu_share: 0.0, busy_share, loop_lag_max_us: 0 }
    }

    fn late(nanos: u64) -> Histogram<u64> {
        let mut delays = histogram::empty(histogram::FINE);
        histogram::record(&mut delays, nanos);
        delays
    }

    #[test]
    fn a_bottleneck_is_named_with_its_reason() {
        let none = histogram::empty(histogram::FINE);
        let cases = [
            ("nothing measured", vec![], none.clone(), ""),
            ("a passing burst", vec![busy(0.1)], late(9_000_000), ""),
            (
                "the busiest worker is named",
                vec![busy(0.2), busy(0.455), busy(0.3)],
                none,
                "the CPU of worker 1 was more than 90 % busy for 45.5 % of the run",
            ),
            (
                "too short to tell",
                vec![WorkerReport { wall_us: 900_000, ..busy(1.0) }],
                histogram::empty(histogram::FINE),
                "",
            ),
            ("late starts", vec![busy(0.0)], late(23_000_000), "1 % of the requests started at least 23 ms late"),
        ];
        for (case, workers, delays, expected) in cases {
            assert_eq!(bottleneck_reasons(&workers, &delays).join("; "), expected, "{case}");
        }
    }
}
