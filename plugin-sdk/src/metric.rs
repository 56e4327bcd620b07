//! Numbers that only the plugin knows, such as messages received or the length of a queue. The host itself measures
//! times, sizes and outcomes of exchanges.
//!
//! A metric is defined in [`Action::configure`](crate::Action::configure) and kept in the action. Its name is shown in
//! the report: 1 to 64 lower case letters, digits, `_`, `-` and `.`, a letter first. Steps of a plugin that define one
//! name share one metric, over all users; a name that is defined with another kind or unit is rejected.
//!
//! ```
//! use std::time::Duration;
//! use stampede_plugin::metric::{Counter, Trend};
//! # use stampede_plugin::{ConfigError, Task};
//!
//! struct Metrics {
//!     messages: Counter,
//!     round_trip: Trend<Duration>,
//! }
//!
//! fn define() -> Result<Metrics, ConfigError> {
//!     Ok(Metrics { messages: Counter::new("messages")?, round_trip: Trend::time("round_trip")? })
//! }
//!
//! fn count(metrics: &Metrics, task: &Task, sent: Duration) {
//!     metrics.messages.add(task, 1);
//!     metrics.round_trip.add(task, task.now() - sent);
//! }
//! ```

use std::marker::PhantomData;
use std::time::Duration;

use crate::bindings::report;
use crate::bindings::report_types::{MetricKind, MetricUnit};
use crate::{ConfigError, Task};

/// Defines a metric in the host.
fn define(name: &str, kind: MetricKind, unit: MetricUnit) -> Result<u32, ConfigError> {
    report::define(name, kind, unit).map_err(ConfigError::new)
}

/// A sum, in total and per second.
#[derive(Clone, Copy, Debug)]
pub struct Counter(u32);

impl Counter {
    /// Defines a counter of things.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Counter, MetricUnit::Number).map(Self)
    }

    /// Defines a counter of bytes.
    pub fn bytes(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Counter, MetricUnit::Bytes).map(Self)
    }

    /// Adds to the sum.
    pub fn add(self, _task: &Task, more: u64) {
        report::add(self.0, more as f64);
    }
}

/// A value that goes up and down: the last one, the minimum and the maximum.
#[derive(Clone, Copy, Debug)]
pub struct Gauge(u32);

impl Gauge {
    /// Defines a gauge of a plain number.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Gauge, MetricUnit::Number).map(Self)
    }

    /// Records the current value, which must not be NaN.
    pub fn add(self, _task: &Task, value: f64) {
        report::add(self.0, value);
    }
}

/// The share of observations in which something was true.
#[derive(Clone, Copy, Debug)]
pub struct Rate(u32);

impl Rate {
    /// Defines a rate.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Rate, MetricUnit::Number).map(Self)
    }

    /// Records one observation.
    pub fn add(self, _task: &Task, is_so: bool) {
        report::add(self.0, f64::from(u8::from(is_so)));
    }
}

/// A distribution: mean, minimum, maximum and percentiles. Of plain numbers (`Trend`), times (`Trend<Duration>`) or
/// sizes in bytes (`Trend<u64>`).
#[derive(Clone, Copy, Debug)]
pub struct Trend<V = f64> {
    id: u32,
    values: PhantomData<fn(V)>,
}

impl<V> Trend<V> {
    fn define(name: &str, unit: MetricUnit) -> Result<Self, ConfigError> {
        define(name, MetricKind::Trend, unit).map(|id| Self { id, values: PhantomData })
    }
}

impl Trend {
    /// Defines a trend of plain numbers.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, MetricUnit::Number)
    }

    /// Records a value, from 0 to 2^53.
    pub fn add(self, _task: &Task, value: f64) {
        report::add(self.id, value);
    }
}

impl Trend<Duration> {
    /// Defines a trend of times.
    pub fn time(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, MetricUnit::Nanoseconds)
    }

    /// Records a time, of 104 days at most.
    pub fn add(self, _task: &Task, time: Duration) {
        report::add(self.id, time.as_nanos() as f64);
    }
}

impl Trend<u64> {
    /// Defines a trend of sizes.
    pub fn bytes(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, MetricUnit::Bytes)
    }

    /// Records a size, in bytes, up to 2^53.
    pub fn add(self, _task: &Task, bytes: u64) {
        report::add(self.id, bytes as f64);
    }
}
