//! Intervals that travel: they arrive as they were, machines add up as threads do, and no bytes are trusted.

use proptest::prelude::*;
use stampede_time::SECOND;

use super::*;
use crate::metrics::aggregate::{Aggregate, CheckInfo, RowInfo};
use crate::metrics::custom_metric::{MetricInfo, MetricKind, MetricUnit};
use crate::metrics::histogram;
use crate::metrics::interval::{IntervalHealth, WorkerInterval};
use crate::metrics::recorder::Recorder;
use crate::metrics::row_stats::TaskEnd;
use crate::metrics::sample::{FailureKind, PhaseDurations, RowId, Sample, SpanId};
use crate::metrics::second::SecondMerger;
use crate::metrics::shown_exchange::{ShownExchange, ShownMessage};
use crate::random::UserRandom;

const ROWS: usize = 5;
const KINDS: [MetricKind; 4] = MetricKind::ALL;
const MILLISECOND: u64 = 1_000_000;

fn shape() -> IntervalShape {
    IntervalShape { rows: ROWS, metrics: KINDS.to_vec(), scenarios: 2, plugins: 2 }
}

fn recorder() -> Recorder {
    Recorder::new(ROWS, KINDS.to_vec()).with_scenarios(2, SECOND / 10)
}

fn below(random: &mut UserRandom, bound: u64) -> u64 {
    random.below(bound)
}

/// Returns a duration between 1 µs and a minute; short ones are as likely as long ones.
fn duration(random: &mut UserRandom) -> u64 {
    let power = 10 + below(random, 26);
    (1 << power) + below(random, 1 << power)
}

fn sample(random: &mut UserRandom) -> Sample {
    let intended = below(random, SECOND);
    let start = intended + if below(random, 3) == 0 { duration(random) } else { 0 };
    let failure = FailureKind::ALL.get(below(random, 30) as usize).copied();
    let mut phase = || (below(random, 2) == 0).then(|| duration(random));
    let phases = PhaseDurations { dns: phase(), connect: phase(), tls: phase(), first_byte: phase(), receive: phase() };
    Sample {
        // The last row stays without any.
        row: below(random, ROWS as u64 - 1) as RowId,
        intended,
        start,
        end: start + duration(random),
        status: [0, 200, 204, 503][below(random, 4) as usize],
        bytes_out: below(random, 1_000),
        bytes_in: below(random, 1_000_000),
        body_bytes_in: below(random, 1_000_000),
        phases,
        failure,
        span: std::num::NonZeroU64::new(below(random, 3)).map(SpanId),
    }
}

/// Records what a user might do.
fn act(recorder: &mut Recorder, random: &mut UserRandom) {
    let sample = sample(random);
    recorder.task_started(sample.row);
    recorder.record(&sample);
    recorder.record_start_delay(sample.start - sample.intended);
    let ends = [TaskEnd::Passed, TaskEnd::Failed, TaskEnd::Cancelled];
    recorder.task_ended(sample.row, ends[below(random, 3) as usize]);
    recorder.record_iteration(below(random, 2) as usize, below(random, 4) > 0, sample.start, sample.end);
    if below(random, 8) == 0 {
        recorder.record_dropped(0, Some(1), sample.intended);
    }
    // Whole numbers, whose sums do not depend on their order.
    (0..KINDS.len() as u16).for_each(|metric| recorder.add_to_metric(metric, below(random, 5_000) as f64));
    if let Some(kind) = sample.failure {
        recorder.record_example(sample.row, kind, || format!("the reply of {} é ", below(random, 9)).repeat(20));
    }
    if recorder.wants_exchange(sample.row, sample.failure) {
        let body = (below(random, 2) == 0).then(|| "{\"a\": 1}".to_owned());
        let reply = ShownMessage { head: "HTTP/1.1 503 no\nx: é".into(), body, body_bytes: 8, is_cut: false };
        let (request, notes) = (Some(ShownMessage::default()), vec!["id = 7".into()]);
        let reply = (below(random, 2) == 0).then_some(reply);
        recorder.keep_exchange(ShownExchange { sample, user: 3, reason: "no".into(), request, reply, notes });
    }
}

/// Returns the interval of a worker in a second.
fn interval(recorder: &mut Recorder, random: &mut UserRandom, acts: u64) -> Interval {
    (0..acts).for_each(|_| act(recorder, random));
    recorder.set_users_active(below(random, 9) as u32);
    let mut interval = *recorder.take(None);
    interval.health = IntervalHealth {
        cpu: below(random, SECOND),
        wall: SECOND,
        cpu_wait: (below(random, 2) == 0).then_some(MILLISECOND),
        loop_lag_max: below(random, SECOND),
        connections: 7,
        guest: vec![below(random, 99), 3],
        guest_calls: vec![5],
        ..IntervalHealth::default()
    };
    interval
}

/// Returns an interval with trends that have no more room than they need, without which they are not equal.
fn comparable(mut interval: Interval) -> Interval {
    for trend in interval.tallies.iter_mut().filter_map(|tally| tally.trend.as_mut()) {
        let mut tight = histogram::empty(histogram::FINE);
        histogram::add(&mut tight, trend);
        *trend = tight;
    }
    interval
}

fn bytes_of(interval: &Interval) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(interval, &mut bytes);
    bytes
}

fn read_back(bytes: &[u8]) -> Result<Interval, WireError> {
    let mut into = shape().empty_interval();
    read(bytes, &shape(), &mut into).map(|()| into)
}

fn aggregate(workers: usize) -> Aggregate {
    let row = |name: usize| RowInfo {
        scenario: None,
        name: name.to_string(),
        action: "http".into(),
        tags: Vec::new(),
        apdex_target: None,
        part: None,
    };
    let metric = |kind: &MetricKind| MetricInfo {
        plugin: "p".into(),
        name: kind.name().into(),
        kind: *kind,
        unit: MetricUnit::Number,
        row: None,
    };
    let check = CheckInfo { row: 0, name: "is found".into(), metric: 2 };
    let aggregate = Aggregate::new((0..ROWS).map(row).collect(), workers);
    aggregate.with_metrics(KINDS.iter().map(metric).collect()).with_checks(vec![check])
}

/// Returns everything of an aggregate that does not tell which worker it came from. Of the failed exchanges, the
/// earliest of a machine are kept, whichever of its workers they come from: their number is the same.
fn sums(aggregate: &Aggregate) -> impl PartialEq {
    let metrics: Vec<_> = aggregate.metrics().iter().map(|metric| metric.tally.clone()).collect();
    let timeline = aggregate.timeline();
    let over_time: Vec<_> = (0..ROWS).map(|row| timeline.row(row).to_vec()).collect();
    let users: Vec<_> = (0..timeline.length()).map(|index| timeline.users_at(index)).collect();
    let kinds = || (0..ROWS as RowId).flat_map(|row| FailureKind::ALL.map(|kind| (row, kind)));
    let examples: Vec<_> = kinds().map(|(row, kind)| aggregate.example(row, kind).cloned()).collect();
    let exchanges: Vec<_> = kinds().map(|(row, kind)| aggregate.exchanges(row, kind).count()).collect();
    let health = aggregate.workers().iter().map(|worker| (worker.total.cpu, worker.total.guest.clone()));
    let cpu: u64 = health.clone().map(|(cpu, _)| cpu).sum();
    let guest: u64 = health.flat_map(|(_, guest)| guest).sum();
    let counts = (aggregate.rows().to_vec(), aggregate.start_delay().clone(), aggregate.iterations().to_vec());
    (counts, metrics, over_time, users, (examples, exchanges), (cpu, guest, aggregate.warm_up()))
}

/// Returns the interval of a machine: the sum over its workers in a second.
fn of_machine(workers: &[WorkerInterval]) -> Interval {
    let mut merger = SecondMerger::new(workers.len(), ROWS, KINDS.to_vec(), true);
    for (worker, from) in workers.iter().enumerate() {
        merger.add(&WorkerInterval { worker, second: from.second, interval: from.interval.clone() });
    }
    merger.next_remaining().expect("a second was added").counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn an_interval_arrives_as_it_was(seed: u64, acts in 0_u64..400, wide: bool) {
        let (mut random, mut recorder) = (UserRandom::new(seed, 0), recorder());
        if wide {
            recorder.keep_all_exchanges();
        }
        let sent = interval(&mut recorder, &mut random, acts);
        let bytes = bytes_of(&sent);
        prop_assert!(comparable(read_back(&bytes).unwrap()) == comparable(sent.clone()));
        let mut used = interval(&mut recorder, &mut random, 50);
        prop_assert_eq!(read(&bytes, &shape(), &mut used), Ok(()));
        prop_assert!(comparable(used) == comparable(sent), "into one that has been used");
    }

    #[test]
    fn a_machine_counts_as_a_worker_does(seed: u64, workers in 1_usize..5, seconds in 1_u32..4, acts in 0_u64..60) {
        let (mut here, mut apart) = (aggregate(workers), aggregate(workers));
        for worker in 0..workers {
            let (mut recorder, mut random) = (recorder(), UserRandom::new(seed, worker as u32));
            for second in 0..seconds {
                let interval = Box::new(interval(&mut recorder, &mut random, acts));
                let read = Box::new(read_back(&bytes_of(&interval)).unwrap());
                here.add(&WorkerInterval { worker, second, interval });
                apart.add(&WorkerInterval { worker, second, interval: read });
            }
        }
        prop_assert!(apart == here);
    }

    #[test]
    fn machines_add_up_as_the_workers_of_one_machine_do(
        seed: u64,
        machines in prop::collection::vec(1_usize..4, 1..5),
        seconds in 1_u32..4,
        acts in 0_u64..60,
    ) {
        let workers = machines.iter().sum::<usize>();
        let (mut here, mut apart) = (aggregate(workers), aggregate(machines.len()));
        let mut recorders: Vec<_> =
            (0..workers).map(|worker| (recorder(), UserRandom::new(seed, worker as u32))).collect();
        for second in 0..seconds {
            let mut all: Vec<_> = recorders.iter_mut().enumerate().map(|(worker, (recorder, random))| {
                WorkerInterval { worker, second, interval: Box::new(interval(recorder, random, acts)) }
            }).collect();
            all.iter().for_each(|from| here.add(from));
            for (machine, workers) in machines.iter().enumerate() {
                let own: Vec<_> = all.drain(..*workers).collect();
                let interval = Box::new(read_back(&bytes_of(&of_machine(&own))).unwrap());
                apart.add(&WorkerInterval { worker: machine, second, interval });
            }
        }
        prop_assert!(sums(&apart) == sums(&here));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        head in prop::bool::weighted(0.9),
    ) {
        let with_head = [&[VERSION, ROWS as u8, KINDS.len() as u8, 2][..], &bytes].concat();
        if let Ok(interval) = read_back(if head { &with_head } else { &bytes }) {
            prop_assert!(comparable(read_back(&bytes_of(&interval)).unwrap()) == comparable(interval));
        }
    }

    #[test]
    fn damaged_bytes_are_read_without_a_panic_and_leave_nothing_behind(
        seed: u64,
        acts in 1_u64..20,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
        cut: bool,
    ) {
        let mut bytes = bytes_of(&interval(&mut recorder(), &mut UserRandom::new(seed, 1), acts));
        let all = bytes.len();
        changes.iter().for_each(|(at, byte)| bytes[at.index(all)] = *byte);
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        let mut into = shape().empty_interval();
        match read(&bytes, &shape(), &mut into) {
            Ok(()) => prop_assert!(comparable(read_back(&bytes_of(&into)).unwrap()) == comparable(into)),
            Err(_) => {
                into.iterations.clear();
                into.health = IntervalHealth::default();
                prop_assert!(comparable(into) == shape().empty_interval());
            }
        }
    }
}

#[test]
fn other_versions_and_other_plans_are_refused_by_name() {
    let bytes = bytes_of(&shape().empty_interval());
    let mut newer = bytes.clone();
    newer[0] = 9;
    let shown =
        |bytes: &[u8], shape: &IntervalShape| read(bytes, shape, &mut shape.empty_interval()).unwrap_err().to_string();
    assert_eq!(shown(&newer, &shape()), "the counts are in format 9, and this version reads format 1");
    let rows = IntervalShape { rows: ROWS + 1, ..shape() };
    assert_eq!(shown(&bytes, &rows), "the counts are of a plan with other rows");
    let metrics = IntervalShape { metrics: vec![MetricKind::Gauge], ..shape() };
    assert_eq!(shown(&bytes, &metrics), "the counts are of a plan with other metrics");
    let mut with_iterations = shape().empty_interval();
    with_iterations.iterations.resize_with(2, Default::default);
    let scenarios = IntervalShape { scenarios: 1, ..shape() };
    assert_eq!(shown(&bytes_of(&with_iterations), &scenarios), "the counts are of a plan with other scenarios");
    assert_eq!(shown(&[&bytes[..], &[0]].concat(), &shape()), "the counts are too long");
    assert_eq!(shown(&bytes[..bytes.len() - 1], &shape()), "the counts end too early");
    assert_eq!(shown(&[], &shape()), "the counts end too early");
}

/// Returns an interval of a row with this many exchanges, whose times are spread around 20 ms as those of sites are:
/// their logarithms are normally distributed, with a standard deviation of 0.5.
fn busy_row(exchanges: u64) -> Interval {
    let (mut random, mut recorder) = (UserRandom::new(7, 0), Recorder::new(1, Vec::new()));
    for _ in 0..exchanges {
        let normal = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
        let end = (20.0 * MILLISECOND as f64 * (0.5 * normal).exp()) as u64;
        let phases = PhaseDurations { first_byte: Some(end * 9 / 10), ..PhaseDurations::default() };
        let (row, intended, start, status, failure, span) = (0, 0, 0, 200, None, None);
        let (bytes_out, bytes_in, body_bytes_in) = (100, 5_000, 4_800);
        recorder.record(&Sample {
            row,
            intended,
            start,
            end,
            status,
            bytes_out,
            bytes_in,
            body_bytes_in,
            phases,
            failure,
            span,
        });
    }
    *recorder.take(None)
}

/// The sizes that the plan for many machines counts on: 250 bytes for a histogram of 100 exchanges, and nothing worth
/// counting for rows that are idle.
#[test]
fn a_histogram_is_small_and_an_idle_row_is_nothing() {
    for (exchanges, most) in [(10, 69), (100, 250), (1_000, 1_440), (10_000, 3_500)] {
        let interval = busy_row(exchanges);
        let mut histogram = Vec::new();
        bins::write(interval.rows[0].response.bins(), &mut histogram);
        let whole = bytes_of(&interval).len();
        println!("{exchanges} exchanges: {} bytes a histogram, {whole} bytes an interval of one row", histogram.len());
        assert!(histogram.len() <= most, "{exchanges} exchanges: {} bytes", histogram.len());
        // The service times are the response times, and the first byte has a rougher histogram.
        assert!(whole <= 2 * histogram.len() + 60, "{exchanges} exchanges: {whole} bytes");
    }
    let idle = IntervalShape { rows: 5_000, ..shape() };
    assert!(bytes_of(&idle.empty_interval()).len() < 40);
}
