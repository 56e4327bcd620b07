//! The metrics of a run under their names, independent of the form in which they are written: for Prometheus and for
//! OpenTelemetry, whose collector makes the same names of them.

use std::borrow::Cow;

use crate::metrics::custom_metric::MetricKind;
use crate::metrics::sample::FailureKind;
use crate::sinks::sums::{BucketedTimes, LoadSums, PHASES, RowLabels, RowSums, RunSums, WorkerSums};

/// The first word of every name.
pub(in crate::sinks) const PREFIX: &str = "stampede";

/// Name and value of a label.
pub(in crate::sinks) type Label<'a> = (&'static str, Cow<'a, str>);

/// A metric with all its points.
#[derive(Debug)]
pub(in crate::sinks) struct Family<'a> {
    /// The name without prefix, unit and the suffix of counters.
    pub name: &'static str,
    /// One line on what it counts.
    pub help: &'static str,
    /// The unit, which is part of the full name.
    pub unit: Option<FamilyUnit>,
    /// The kind of its points.
    pub kind: FamilyKind,
    /// The points, each with labels of its own.
    pub points: Vec<Point<'a>>,
}

/// A base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sinks) enum FamilyUnit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sinks) enum FamilyKind {
    /// A sum that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// One value of a metric.
#[derive(Debug)]
pub(in crate::sinks) struct Point<'a> {
    /// The labels.
    pub labels: Vec<Label<'a>>,
    /// The value.
    pub value: PointValue<'a>,
}

/// The value of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sinks) enum PointValue<'a> {
    /// A whole number.
    Count(u64),
    /// Any number.
    Number(f64),
    /// Durations.
    Times(&'a BucketedTimes),
}

impl<'a> Family<'a> {
    /// Returns the name as Prometheus has it: with prefix, unit and the suffix of counters.
    pub(in crate::sinks) fn full_name(&self) -> String {
        let unit = match self.unit {
            Some(FamilyUnit::Seconds) => "_seconds",
            Some(FamilyUnit::Bytes) => "_bytes",
            None => "",
        };
        let suffix = if self.kind == FamilyKind::Counter { "_total" } else { "" };
        format!("{PREFIX}_{}{unit}{suffix}", self.name)
    }

    fn new(kind: FamilyKind, name: &'static str, unit: Option<FamilyUnit>, help: &'static str) -> Self {
        Self { name, help, unit, kind, points: Vec::new() }
    }

    fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(FamilyKind::Counter, name, None, help)
    }

    fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(FamilyKind::Gauge, name, None, help)
    }

    fn times(name: &'static str, help: &'static str) -> Self {
        Self::new(FamilyKind::Histogram, name, Some(FamilyUnit::Seconds), help)
    }

    fn in_unit(self, unit: FamilyUnit) -> Self {
        Self { unit: Some(unit), ..self }
    }

    fn point(mut self, labels: Vec<Label<'a>>, value: PointValue<'a>) -> Self {
        self.points.push(Point { labels, value });
        self
    }

    fn points(mut self, points: impl Iterator<Item = (Vec<Label<'a>>, PointValue<'a>)>) -> Self {
        self.points.extend(points.map(|(labels, value)| Point { labels, value }));
        self
    }
}

/// Returns all metrics of a run.
pub(in crate::sinks) fn families(sums: &RunSums) -> Vec<Family<'_>> {
    let mut all = run_families(sums);
    all.extend(request_families(sums));
    all.extend(row_families(sums));
    all.extend(iteration_families(sums));
    all.extend(plugin_families(sums));
    all.extend(generator_families(sums));
    all
}

fn run_families(sums: &RunSums) -> Vec<Family<'_>> {
    let seconds = |time: std::time::Duration| PointValue::Number(time.as_secs_f64());
    let flag = |is_set: bool| PointValue::Count(u64::from(is_set));
    let verdicts = sums.thresholds.iter().filter_map(|threshold| {
        let labels = vec![("metric", text(&threshold.metric)), ("condition", text(&threshold.expression))];
        Some((labels, flag(threshold.passed?)))
    });
    vec![
        Family::gauge("build_info", "1, with the version of stampede-shooter as a label.")
            .point(vec![("version", text(env!("CARGO_PKG_VERSION")))], PointValue::Count(1)),
        Family::gauge("run_start_time", "When the run began, since the Unix epoch.")
            .in_unit(FamilyUnit::Seconds)
            .point(Vec::new(), seconds(sums.started_at)),
        Family::gauge("run_ended", "1 once the run is over and all numbers are those of its report.")
            .point(Vec::new(), flag(sums.is_final)),
        Family::gauge("users", "Users by what they do.")
            .point(vec![("state", text("active"))], PointValue::Count(sums.users.into())),
        Family::gauge("load_scale", "The load as a multiple of the plan's; 0 during a pause.").points(
            sums.scenarios.iter().map(|load| {
                let scale = if sums.is_paused { 0.0 } else { load.scale };
                (scenario_labels(load.scenario.as_deref()), PointValue::Number(scale))
            }),
        ),
        Family::gauge("threshold_passed", "1 if the threshold holds, 0 if not: so far, or at the end of the run.")
            .points(verdicts),
        Family::counter("warm_up_requests", "Requests of the warm-up, which are counted nowhere else.")
            .point(Vec::new(), PointValue::Count(sums.warm_up)),
        Family::counter("missed_seconds", "Seconds of the run whose counts are missing here until the run is over.")
            .point(Vec::new(), PointValue::Count(sums.missed_seconds)),
    ]
}

fn request_families(sums: &RunSums) -> Vec<Family<'_>> {
    let outcomes = |row: &RowSums| [("ok", row.ok), ("error", row.failed()), ("aborted", row.aborted())];
    let categories = |row: &RowSums| FailureKind::ALL.map(|kind| (kind.name(), row.err[kind as usize]));
    let requests =
        Family::counter("requests", "Requests by outcome; aborted are those that an interrupt or a plugin ended.");
    let errors = Family::counter("errors", "Failed and aborted requests by category.");
    vec![
        requests.points(per_row(sums, "outcome", move |row| outcomes(row).to_vec())),
        errors.points(per_row(sums, "category", move |row| {
            categories(row).into_iter().filter(|(_, count)| *count > 0).collect()
        })),
        Family::counter("responses", "Replies by status code.").points(sums.shown_rows().flat_map(|row| {
            let other = (row.other_codes > 0).then(|| (Cow::from("other"), row.other_codes));
            let codes = row.codes.iter().map(|(code, count)| (Cow::from(code.to_string()), *count));
            codes.chain(other).map(|(code, count)| (with(row, "code", code), PointValue::Count(count)))
        })),
    ]
}

fn row_families(sums: &RunSums) -> Vec<Family<'_>> {
    let whole = |get: fn(&RowSums) -> u64| {
        sums.shown_rows().map(move |row| (row_labels(&row.labels), PointValue::Count(get(row))))
    };
    let times = |get: fn(&RowSums) -> &BucketedTimes| {
        sums.shown_rows().map(move |row| (row_labels(&row.labels), PointValue::Times(get(row))))
    };
    let phases = sums.shown_rows().flat_map(|row| {
        let named = PHASES.iter().zip(&row.phases).filter(|(_, times)| times.count > 0);
        named.map(|(phase, times)| (with(row, "phase", text(phase)), PointValue::Times(times)))
    });
    let bytes = |name, help| Family::counter(name, help).in_unit(FamilyUnit::Bytes);
    vec![
        Family::times("request_duration", "From when a request should have started to its last byte.")
            .points(times(|row| &row.response)),
        Family::times("service_duration", "From when a request did start to its last byte.")
            .points(times(|row| &row.service)),
        Family::times("phase_duration", "The phases of a request.").points(phases),
        bytes("sent", "Bytes of requests, above TLS.").points(whole(|row| row.bytes.out)),
        bytes("received", "Bytes of replies, above TLS.").points(whole(|row| row.bytes.received)),
        bytes("received_body", "Bytes of the replies' content, before decoding.")
            .points(whole(|row| row.bytes.body_in)),
        Family::counter("tasks", "Runs of a step by their end.").points(per_row(sums, "result", |row| {
            let tasks = &row.tasks;
            vec![
                ("passed", tasks.passed),
                ("failed", tasks.failed),
                ("cancelled", tasks.cancelled),
                ("dropped", tasks.dropped),
            ]
        })),
    ]
}

fn iteration_families(sums: &RunSums) -> Vec<Family<'_>> {
    let counts = |results: fn(&LoadSums) -> Vec<(&'static str, u64)>| {
        sums.scenarios.iter().flat_map(move |load| {
            results(load).into_iter().map(|(result, count)| {
                let mut labels = scenario_labels(load.scenario.as_deref());
                labels.push(("result", text(result)));
                (labels, PointValue::Count(count))
            })
        })
    };
    let durations = sums
        .scenarios
        .iter()
        .map(|load| (scenario_labels(load.scenario.as_deref()), PointValue::Times(&load.duration)));
    vec![
        Family::counter("iterations", "Iterations by their end.").points(counts(|load| {
            vec![("completed", load.completed), ("cut_short", load.cut_short), ("dropped", load.dropped)]
        })),
        Family::counter(
            "arrivals",
            "Iterations that were due: started and over by now, or dropped because no user was free.",
        )
        .points(counts(|load| vec![("started", load.completed + load.cut_short), ("dropped", load.dropped)])),
        Family::times("iteration_duration", "Completed iterations, waits included.").points(durations),
        Family::times("start_delay", "Start of a request after its intended start.")
            .point(Vec::new(), PointValue::Times(&sums.start_delay)),
    ]
}

fn plugin_families(sums: &RunSums) -> Vec<Family<'_>> {
    let checks = sums.checks.iter().flat_map(|check| {
        [("passed", check.passed), ("failed", check.failed)].map(|(result, count)| {
            let mut labels = row_labels(&check.labels);
            labels.extend([("check", text(&check.name)), ("result", text(result))]);
            (labels, PointValue::Count(count))
        })
    });
    let of_kind = |kind: MetricKind| {
        sums.metrics.iter().filter(move |metric| metric.kind == kind && metric.count > 0).map(|metric| {
            let mut labels = metric.row.as_ref().map(row_labels).unwrap_or_default();
            labels.extend([("plugin", text(&metric.plugin)), ("metric", text(&metric.name))]);
            (labels, metric)
        })
    };
    let in_unit = |kind| {
        of_kind(kind).map(|(mut labels, metric)| {
            labels.push(("unit", text(metric.unit)));
            (labels, metric)
        })
    };
    let rates = of_kind(MetricKind::Rate).flat_map(|(labels, metric)| {
        [("hit", metric.hits), ("miss", metric.count - metric.hits)].map(|(result, count)| {
            let mut labels = labels.clone();
            labels.push(("result", text(result)));
            (labels, PointValue::Count(count))
        })
    });
    let trend_values = of_kind(MetricKind::Trend).map(|(labels, metric)| (labels, PointValue::Count(metric.count)));
    vec![
        Family::counter("checks", "Checks of replies by result.").points(checks),
        Family::counter("plugin_amount", "Counters that plugins define.")
            .points(in_unit(MetricKind::Counter).map(|(labels, metric)| (labels, PointValue::Number(metric.sum)))),
        Family::gauge("plugin_value", "The last value of what plugins measure.")
            .points(in_unit(MetricKind::Gauge).map(|(labels, metric)| (labels, PointValue::Number(metric.last)))),
        Family::counter(
            "plugin_events",
            "Rates that plugins define: values that were not 0 (hit), and that were (miss).",
        )
        .points(rates),
        Family::counter("plugin_trend_values", "Number of values of trends that plugins define.").points(trend_values),
        Family::counter("plugin_trend_amount", "Sum of the values of trends that plugins define.")
            .points(in_unit(MetricKind::Trend).map(|(labels, metric)| (labels, PointValue::Number(metric.sum)))),
    ]
}

fn generator_families(sums: &RunSums) -> Vec<Family<'_>> {
    let seconds = |name, help| Family::counter(name, help).in_unit(FamilyUnit::Seconds);
    let workers = |get: fn(&WorkerSums) -> u64| {
        sums.workers.iter().enumerate().map(move |(number, worker)| {
            (vec![("worker", Cow::from(number.to_string()))], PointValue::Number(get(worker) as f64 / 1e6))
        })
    };
    let process = |number: Option<u64>| number.into_iter().map(|number| (Vec::new(), PointValue::Count(number)));
    let guests = |get: fn(&crate::sinks::sums::GuestSums) -> PointValue<'static>| {
        sums.guests.iter().map(move |guest| (vec![("plugin", text(&guest.plugin))], get(guest)))
    };
    vec![
        seconds("worker_cpu", "CPU time of a worker thread.").points(workers(|worker| worker.cpu_us)),
        seconds("worker_observed", "Time for which a worker thread was observed.")
            .points(workers(|worker| worker.wall_us)),
        seconds("worker_cpu_wait", "Time for which a worker thread waited for a CPU.")
            .points(workers(|worker| worker.cpu_wait_us)),
        Family::gauge(
            "worker_loop_lag",
            "The longest delay of a worker's loop in the last second, or in the whole run.",
        )
        .in_unit(FamilyUnit::Seconds)
        .points(workers(|worker| worker.loop_lag_us)),
        Family::gauge("open_connections", "Connections to the target that are open.")
            .point(Vec::new(), PointValue::Count(sums.connections.into())),
        Family::gauge("generator_memory", "Resident memory of the generator.")
            .in_unit(FamilyUnit::Bytes)
            .points(process(sums.process.memory)),
        Family::gauge("generator_open_files", "Files that the generator has open, connections among them.")
            .points(process(sums.process.open_files)),
        Family::counter("worker_guest_calls", "Calls into plugins.")
            .points(guests(|guest| PointValue::Count(guest.calls))),
        seconds("worker_guest", "Time inside plugins.")
            .points(guests(|guest| PointValue::Number(guest.time_us as f64 / 1e6))),
        Family::counter("worker_guest_traps", "Instances of plugins that were lost to traps.")
            .points(guests(|guest| PointValue::Count(guest.traps))),
    ]
}

fn per_row<'a>(
    sums: &'a RunSums,
    label: &'static str,
    counts: impl Fn(&RowSums) -> Vec<(&'static str, u64)>,
) -> impl Iterator<Item = (Vec<Label<'a>>, PointValue<'a>)> {
    sums.shown_rows().flat_map(move |row| {
        let points = counts(row).into_iter();
        points.map(|(value, count)| (with(row, label, text(value)), PointValue::Count(count))).collect::<Vec<_>>()
    })
}

fn text(value: &str) -> Cow<'_, str> {
    Cow::Borrowed(value)
}

fn with<'a>(row: &'a RowSums, name: &'static str, value: Cow<'a, str>) -> Vec<Label<'a>> {
    let mut labels = row_labels(&row.labels);
    labels.push((name, value));
    labels
}

fn row_labels(labels: &RowLabels) -> Vec<Label<'_>> {
    let mut all = scenario_labels(labels.scenario.as_deref());
    all.extend([("step", text(&labels.step)), ("action", text(&labels.action))]);
    all
}

/// Returns the label of a scenario; none in the plain form, since an empty label is none to Prometheus.
fn scenario_labels(scenario: Option<&str>) -> Vec<Label<'_>> {
    scenario.map(|scenario| ("scenario", text(scenario))).into_iter().collect()
}
