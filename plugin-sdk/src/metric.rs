//! Numbers that only the plugin knows, such as messages received or the length of a queue. Times, sizes and outcomes of
//! exchanges are measured by the host and need none of this.
//!
//! A metric is defined in [`Action::configure`](crate::Action::configure) and kept in the action. Its name is shown in
//! the report: 1 to 64 lower case letters, digits, `_`, `-` and `.`, a letter first. The same name is one metric
//! whichever step of the plugin defines it, of all users together; with another kind or unit it is refused.
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

/// Hands a definition to the host.
fn define(name: &str, kind: MetricKind, unit: MetricUnit) -> Result<u32, ConfigError> {
    report::define(name, kind, unit).map_err(ConfigError::new)
}

/// A sum, and so many a second.
#[derive(Clone, Copy, Debug)]
pub struct Counter(u32);

impl Counter {
    /// Of things.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Counter, MetricUnit::Number).map(Self)
    }

    /// Of bytes.
    pub fn bytes(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Counter, MetricUnit::Bytes).map(Self)
    }

    /// So many more.
    pub fn add(self, _task: &Task, more: u64) {
        report::add(self.0, more as f64);
    }
}

/// A value that goes up and down: the last one, the least and the most.
#[derive(Clone, Copy, Debug)]
pub struct Gauge(u32);

impl Gauge {
    /// Of a plain number.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Gauge, MetricUnit::Number).map(Self)
    }

    /// What it is now. Must be a number.
    pub fn add(self, _task: &Task, value: f64) {
        report::add(self.0, value);
    }
}

/// How often something is so, of all times that it was looked at.
#[derive(Clone, Copy, Debug)]
pub struct Rate(u32);

impl Rate {
    /// A share between none and all.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        define(name, MetricKind::Rate, MetricUnit::Number).map(Self)
    }

    /// Whether it is so this time.
    pub fn add(self, _task: &Task, is_so: bool) {
        report::add(self.0, f64::from(u8::from(is_so)));
    }
}

/// A distribution: mean, least, most and percentiles. Of plain numbers (`Trend`), times (`Trend<Duration>`) or sizes in
/// bytes (`Trend<u64>`).
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
    /// Of plain numbers.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, MetricUnit::Number)
    }

    /// One more value, from 0 to 2^53.
    pub fn add(self, _task: &Task, value: f64) {
        report::add(self.id, value);
    }
}

impl Trend<Duration> {
    /// Of times.
    pub fn time(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, MetricUnit::Nanoseconds)
    }

    /// One more time, of 104 days at most.
    pub fn add(self, _task: &Task, time: Duration) {
        report::add(self.id, time.as_nanos() as f64);
    }
}

impl Trend<u64> {
    /// Of sizes.
    pub fn bytes(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, MetricUnit::Bytes)
    }

    /// One more size, in bytes, up to 2^53.
    pub fn add(self, _task: &Task, bytes: u64) {
        report::add(self.id, bytes as f64);
    }
}
