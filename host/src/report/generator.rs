//! The health of the generator. A worker that is late, waits for a CPU or has no CPU time left adds its own delays to
//! all latencies; the report must say so rather than blame the site.

use hdrhistogram::Histogram;

use super::duration_stats::{duration_stats, encode};
use super::format;
use super::model::{GeneratorReport, PluginReport, ProcessReport, WorkerReport};
use crate::metrics::aggregate::{Aggregate, WorkerHealth};
use crate::run::CpuLimits;

/// The share of the run above which a worker with an exhausted CPU was a bottleneck. Less is a passing burst, such as
/// all users connecting at once.
const MAX_BUSY_SHARE: f64 = 0.1;

/// The share of the run above which the waits of a worker for a CPU were a bottleneck. An idle machine takes less than
/// a thousandth; a worker that waits for a twentieth of the time delays its requests by about as much as it computes.
pub(crate) const MAX_WAIT_SHARE: f64 = 0.05;

/// The share of the run above which a quota was a bottleneck: a hundredth of the time reaches the 99th percentile.
const MAX_THROTTLED_SHARE: f64 = 0.01;

/// The share of the cores that may be used, above which the workers together had exhausted them.
const MAX_CORE_SHARE: f64 = 0.9;

/// The longest acceptable delay of a worker's loop, in microseconds.
pub(crate) const MAX_LOOP_LAG_US: u64 = 100_000;

/// The shortest run, in microseconds, from which the CPU can be judged. A shorter one is all start-up.
const MIN_WALL_US: u64 = 1_000_000;

/// The longest acceptable delay of starts at the 99th percentile, in microseconds.
pub(crate) const MAX_START_DELAY_P99_US: u64 = 2_000;

/// Returns the health of the generator. `plugins` are the names in the order of the workers' lists.
pub(super) fn generator_report(aggregate: &Aggregate, limits: CpuLimits, plugins: &[String]) -> GeneratorReport {
    let workers: Vec<WorkerReport> = aggregate.workers().iter().map(worker_report).collect();
    let processes = vec![process_report(limits, &workers)];
    let start_delay = aggregate.start_delay().to_hdr();
    let reasons = bottleneck_reasons(&workers, &processes, &start_delay);
    GeneratorReport {
        bottleneck: !reasons.is_empty(),
        reasons,
        workers,
        processes,
        start_delay_us: duration_stats(&start_delay),
        start_delay_histogram: encode(&start_delay),
        guests: plugins.iter().enumerate().map(|(index, name)| plugin_report(aggregate, index, name)).collect(),
    }
}

fn worker_report(health: &WorkerHealth) -> WorkerReport {
    let total = &health.total;
    let share = |part: u64| share(part, total.wall);
    WorkerReport {
        cpu_us: total.cpu / 1000,
        wall_us: total.wall / 1000,
        cpu_share: share(total.cpu),
        busy_share: share(health.busy),
        cpu_wait_us: total.cpu_wait.map(|wait| wait / 1000),
        loop_lag_max_us: total.loop_lag_max / 1000,
    }
}

fn process_report(limits: CpuLimits, workers: &[WorkerReport]) -> ProcessReport {
    ProcessReport {
        cores: limits.cores,
        cpu_quota: limits.quota,
        throttled_us: limits.throttled.map(|throttled| throttled / 1000),
        cpu_us: workers.iter().map(|worker| worker.cpu_us).sum(),
        wall_us: workers.iter().map(|worker| worker.wall_us).max().unwrap_or(0),
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
pub(super) fn bottleneck_reasons(
    workers: &[WorkerReport],
    processes: &[ProcessReport],
    start_delay: &Histogram<u64>,
) -> Vec<String> {
    let p99 = if start_delay.is_empty() { 0 } else { start_delay.value_at_quantile(0.99) };
    let late = (p99 > MAX_START_DELAY_P99_US).then(|| {
        let delay = format::latency(p99 as f64, " ");
        format!("1 % of the requests started at least {delay} late")
    });
    let processes = processes.iter().filter(|process| process.wall_us >= MIN_WALL_US);
    let limits = processes.flat_map(|process| [quota_reason(process), cores_reason(process)]).flatten();
    [busy_reason(workers), waiting_reason(workers), stopped_reason(workers)]
        .into_iter()
        .flatten()
        .chain(limits)
        .chain(late)
        .collect()
}

/// Names the worker whose CPU was exhausted for the greatest part of the run.
fn busy_reason(workers: &[WorkerReport]) -> Option<String> {
    let (index, worker) = most(workers, |worker| worker.busy_share)?;
    (worker.busy_share > MAX_BUSY_SHARE && worker.wall_us >= MIN_WALL_US).then(|| {
        let share = percent(worker.busy_share);
        format!("the CPU of worker {index} was more than 90 % busy for {share} of the run")
    })
}

/// Names the worker that waited for a CPU for the greatest part of the run.
fn waiting_reason(workers: &[WorkerReport]) -> Option<String> {
    let share = |worker: &WorkerReport| share(worker.cpu_wait_us.unwrap_or(0), worker.wall_us);
    let (index, worker) = most(workers, share)?;
    (share(worker) > MAX_WAIT_SHARE && worker.wall_us >= MIN_WALL_US).then(|| {
        format!("worker {index} was ready to run and waited for a CPU for {} of the run", percent(share(worker)))
    })
}

/// Names the worker whose loop stood still for the longest time.
fn stopped_reason(workers: &[WorkerReport]) -> Option<String> {
    let (index, worker) = most(workers, |worker| worker.loop_lag_max_us as f64)?;
    (worker.loop_lag_max_us > MAX_LOOP_LAG_US).then(|| {
        let longest = format::latency(worker.loop_lag_max_us as f64, " ");
        format!("worker {index} stood still for up to {longest} at a time")
    })
}

/// Names the quota that stopped a process.
fn quota_reason(process: &ProcessReport) -> Option<String> {
    let (quota, throttled) = process.cpu_quota.zip(process.throttled_us)?;
    (share(throttled, process.wall_us) > MAX_THROTTLED_SHARE).then(|| {
        let stopped = format::latency(throttled as f64, " ");
        format!("the CPU quota of {quota:.2} cores stopped the process for {stopped}")
    })
}

/// Names the cores that the workers of a process exhausted.
fn cores_reason(process: &ProcessReport) -> Option<String> {
    let cores = process.cpu_quota.unwrap_or(f64::INFINITY).min(f64::from(process.cores));
    let used = share(process.cpu_us, process.wall_us) / cores;
    (cores > 0.0 && used > MAX_CORE_SHARE).then(|| {
        format!("the workers used {} of the {cores:.2} cores that the process may use", percent(used.min(1.0)))
    })
}

/// Returns the worker with the greatest value, and its index.
fn most(workers: &[WorkerReport], value: impl Fn(&WorkerReport) -> f64) -> Option<(usize, &WorkerReport)> {
    workers.iter().enumerate().max_by(|(_, a), (_, b)| value(a).total_cmp(&value(b)))
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn percent(share: f64) -> String {
    format::percent((share * 1e6).round() as u64, 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::histogram;

    const SECONDS: u64 = 1_000_000;

    fn busy(busy_share: f64) -> WorkerReport {
        let (cpu_wait_us, wall_us) = (Some(0), 2 * SECONDS);
        WorkerReport { cpu_us: 0, wall_us, cpu_share: 0.0, busy_share, cpu_wait_us, loop_lag_max_us: 0 }
    }

    fn waiting(micros: u64) -> WorkerReport {
        WorkerReport { cpu_wait_us: Some(micros), ..busy(0.0) }
    }

    fn stopped(micros: u64) -> WorkerReport {
        WorkerReport { loop_lag_max_us: micros, ..busy(0.0) }
    }

    const IDLE: ProcessReport =
        ProcessReport { cores: 4, cpu_quota: None, throttled_us: None, cpu_us: 0, wall_us: 10 * SECONDS };

    #[test]
    fn a_worker_that_could_not_keep_up_is_named_with_its_number() {
        for (case, workers, expected) in [
            ("nothing measured", vec![], ""),
            ("a passing burst", vec![busy(0.1)], ""),
            (
                "the busiest worker is named",
                vec![busy(0.2), busy(0.455), busy(0.3)],
                "the CPU of worker 1 was more than 90 % busy for 45.5 % of the run",
            ),
            ("too short to tell", vec![WorkerReport { wall_us: 900_000, ..busy(1.0) }], ""),
            ("waits of no consequence", vec![waiting(90_000)], ""),
            (
                "the worker that waited longest is named",
                vec![waiting(0), waiting(SECONDS)],
                "worker 1 was ready to run and waited for a CPU for 50 % of the run",
            ),
            ("no word of the system about waits", vec![WorkerReport { cpu_wait_us: None, ..busy(0.0) }], ""),
            ("a short stop", vec![stopped(90_000)], ""),
            ("a long stop", vec![stopped(5 * SECONDS)], "worker 0 stood still for up to 5000 ms at a time"),
        ] {
            let none = histogram::empty(histogram::FINE);
            assert_eq!(bottleneck_reasons(&workers, &[IDLE], &none).join("; "), expected, "{case}");
        }
    }

    #[test]
    fn the_limits_of_a_process_are_named_with_their_numbers() {
        let quota = |throttled| ProcessReport { cpu_quota: Some(0.1), throttled_us: Some(throttled), ..IDLE };
        for (case, process, expected) in [
            ("a quota that was not reached", quota(50_000), ""),
            ("a quota", quota(4_200_000), "the CPU quota of 0.10 cores stopped the process for 4200 ms"),
            (
                "several workers on one core",
                ProcessReport { cores: 1, cpu_us: 9_700_000, ..IDLE },
                "the workers used 97 % of the 1.00 cores that the process may use",
            ),
            ("cores that are unknown", ProcessReport { cores: 0, cpu_us: 9_700_000, ..IDLE }, ""),
            ("too short to tell", ProcessReport { cores: 1, cpu_us: 900_000, wall_us: 900_000, ..IDLE }, ""),
        ] {
            let none = histogram::empty(histogram::FINE);
            assert_eq!(bottleneck_reasons(&[], &[process], &none).join("; "), expected, "{case}");
        }
    }

    #[test]
    fn late_starts_are_named_from_two_milliseconds_on() {
        for (nanos, expected) in [(1_900_000, ""), (23_000_000, "1 % of the requests started at least 23 ms late")] {
            let mut delays = histogram::empty(histogram::FINE);
            delays.record(histogram::whole_micros(nanos)).expect("in range");
            assert_eq!(bottleneck_reasons(&[busy(0.0)], &[IDLE], &delays).join("; "), expected);
        }
    }
}
