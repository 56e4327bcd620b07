//! The end of a run: the sums become the numbers of the report.

use hdrhistogram::Histogram;

use super::bucketed_times::BucketedTimes;
use super::run_sums::{GuestSums, LoadSums, RowSums, RunSums, WorkerSums};
use crate::metrics::histogram::{FINE, ROUGH};
use crate::metrics::row_stats::TaskCounts;
use crate::metrics::sample::FailureKind;
use crate::report::Report;
use crate::report::model::{PluginReport, RowReport, ScenarioReport, WorkerReport};
use crate::report::read::decode_micros;

impl RunSums {
    /// Replaces all sums by the numbers of the report.
    pub(in crate::sinks) fn finish(&mut self, report: &Report) {
        self.is_final = true;
        (self.users, self.connections, self.is_paused) = (0, 0, false);
        for row in &mut self.rows {
            *row = RowSums { labels: std::mem::take(&mut row.labels), ..RowSums::default() };
        }
        for (place, row) in self.places.iter().zip(&report.actions) {
            self.rows[*place].add_report(row);
        }
        for (scenario, counted) in self.scenarios.iter_mut().zip(&report.scenarios) {
            scenario.set(counted);
        }
        self.start_delay = decoded(&report.generator.start_delay_histogram, FINE);
        for (check, counted) in self.checks.iter_mut().zip(&report.checks) {
            (check.passed, check.failed) = (counted.passed, counted.failed);
        }
        for metric in &mut self.metrics {
            if let Some(counted) = report.metrics.iter().find(|counted| metric.is_of(counted)) {
                metric.set(counted);
            }
        }
        for (worker, counted) in self.workers.iter_mut().zip(&report.generator.workers) {
            *worker = WorkerSums::of_report(counted);
        }
        for (guest, counted) in self.guests.iter_mut().zip(&report.generator.guests) {
            guest.set(counted);
        }
        for (threshold, verdict) in self.thresholds.iter_mut().zip(&report.thresholds) {
            threshold.passed = Some(verdict.passed);
        }
        self.warm_up = report.run.warm_up_requests;
    }
}

impl RowSums {
    /// Adds a row of the report. Several may have the same names.
    fn add_report(&mut self, row: &RowReport) {
        self.ok += row.requests.ok;
        for error in &row.errors {
            let kind = FailureKind::ALL.into_iter().find(|kind| kind.name() == error.category);
            kind.into_iter().for_each(|kind| self.err[kind as usize] += error.count);
        }
        row.statuses.iter().for_each(|(code, count)| self.add_code(*code, *count));
        self.tasks.add(&TaskCounts {
            started: row.tasks.started,
            passed: row.tasks.passed,
            failed: row.tasks.failed,
            cancelled: row.tasks.cancelled,
            dropped: row.tasks.dropped,
        });
        self.bytes.out += row.bytes.out;
        self.bytes.received += row.bytes.received;
        self.bytes.body_in += row.bytes.body_in;
        add_decoded(&mut self.response, &row.histograms.response_time, FINE);
        add_decoded(&mut self.service, &row.histograms.service_time, FINE);
        for (sum, text) in self.phases.iter_mut().zip(row.histograms.phases.as_array()) {
            add_decoded(sum, text, ROUGH);
        }
    }
}

impl LoadSums {
    fn set(&mut self, report: &ScenarioReport) {
        self.completed = report.iterations.completed;
        self.cut_short = report.iterations.cut_short;
        self.dropped = report.iterations.dropped;
        self.duration = decoded(&report.iteration_histogram, FINE);
    }
}

impl WorkerSums {
    fn of_report(report: &WorkerReport) -> Self {
        Self {
            cpu_us: report.cpu_us,
            wall_us: report.wall_us,
            cpu_wait_us: report.cpu_wait_us.unwrap_or(0),
            loop_lag_us: report.loop_lag_max_us,
        }
    }
}

impl GuestSums {
    fn set(&mut self, report: &PluginReport) {
        (self.calls, self.time_us, self.traps) = (report.calls, report.time_us, report.traps);
    }
}

/// Adds a histogram of the report. The report is this process's own, so its histograms can be read.
fn add_decoded(times: &mut BucketedTimes, text: &str, digits: u8) {
    let histogram: Option<Histogram<u64>> = decode_micros(text, digits).ok();
    histogram.iter().for_each(|histogram| times.add_hdr(histogram));
}

fn decoded(text: &str, digits: u8) -> BucketedTimes {
    let mut times = BucketedTimes::default();
    add_decoded(&mut times, text, digits);
    times
}
