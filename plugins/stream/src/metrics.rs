//! The quality of experience of sessions, as metrics of the run.

use std::time::Duration;

use stampede_plugin::metric::{Counter, Rate, Trend};
use stampede_plugin::{ConfigError, Task};
use viewer_core::Metric;

/// The metrics of a step. Steps with the same label share them.
#[derive(Clone, Copy)]
pub(crate) struct Metrics {
    sessions: Counter,
    started: Rate,
    left_early: Rate,
    failed_start: Rate,
    failed: Rate,
    startup: Trend<Duration>,
    stalled: Rate,
    stalls: Trend,
    stall_time: Trend<Duration>,
    stall_ratio: Trend,
    bitrate: Trend,
    height: Trend,
    switches: Counter,
    latency: Trend<Duration>,
    late: Counter,
    edge_misses: Counter,
    resyncs: Counter,
    abandoned: Counter,
    wasted: Counter,
    playlist_age: Trend<Duration>,
    /// Shared by all labels: it says whether the load runner itself kept up.
    wake_lag: Trend<Duration>,
}

impl Metrics {
    /// Defines the metrics of a label, or returns those that another step has defined.
    pub(crate) fn new(label: Option<&str>) -> Result<Self, ConfigError> {
        let name = |metric: &str| label.map_or_else(|| metric.to_owned(), |label| format!("{label}.{metric}"));
        Ok(Self {
            sessions: Counter::new(&name("sessions"))?,
            started: Rate::new(&name("started"))?,
            left_early: Rate::new(&name("left_early"))?,
            failed_start: Rate::new(&name("failed_start"))?,
            failed: Rate::new(&name("failed"))?,
            startup: Trend::time(&name("startup"))?,
            stalled: Rate::new(&name("stalled"))?,
            stalls: Trend::new(&name("stalls"))?,
            stall_time: Trend::time(&name("stall_time"))?,
            stall_ratio: Trend::new(&name("stall_ratio"))?,
            bitrate: Trend::new(&name("bitrate"))?,
            height: Trend::new(&name("height"))?,
            switches: Counter::new(&name("switches"))?,
            latency: Trend::time(&name("latency"))?,
            late: Counter::new(&name("late"))?,
            edge_misses: Counter::new(&name("edge_misses"))?,
            resyncs: Counter::new(&name("resyncs"))?,
            abandoned: Counter::new(&name("abandoned"))?,
            wasted: Counter::bytes(&name("wasted"))?,
            playlist_age: Trend::time(&name("playlist_age"))?,
            wake_lag: Trend::time("wake_lag")?,
        })
    }

    /// Adds a value that the player has measured.
    pub(crate) fn add(&self, task: &Task, metric: Metric, value: f64) {
        // The player's times are in milliseconds.
        let time = || Duration::try_from_secs_f64(value / 1e3).unwrap_or_default();
        let (is_so, count) = (value > 0.0, value as u64);
        match metric {
            Metric::Sessions => self.sessions.add(task, count),
            Metric::Started => self.started.add(task, is_so),
            Metric::LeftEarly => self.left_early.add(task, is_so),
            Metric::FailedStart => self.failed_start.add(task, is_so),
            Metric::Failed => self.failed.add(task, is_so),
            Metric::Startup => self.startup.add(task, time()),
            Metric::Stalled => self.stalled.add(task, is_so),
            Metric::Stalls => self.stalls.add(task, value),
            Metric::StallTime => self.stall_time.add(task, time()),
            Metric::StallRatio => self.stall_ratio.add(task, value),
            Metric::Bitrate => self.bitrate.add(task, value),
            Metric::Height => self.height.add(task, value),
            Metric::Switches => self.switches.add(task, count),
            Metric::Latency => self.latency.add(task, time()),
            Metric::Late => self.late.add(task, count),
            Metric::EdgeMisses => self.edge_misses.add(task, count),
            Metric::Resyncs => self.resyncs.add(task, count),
            Metric::Abandoned => self.abandoned.add(task, count),
            Metric::Wasted => self.wasted.add(task, count),
            Metric::PlaylistAge => self.playlist_age.add(task, time()),
            Metric::WakeLag => self.wake_lag.add(task, time()),
        }
    }
}
