//! Measurement, from a single exchange to the numbers of a whole run.
//!
//! The hot path measures each exchange as a [`Sample`](sample::Sample). Each worker counts its samples in its own
//! [`Recorder`](recorder::Recorder), without locks, and hands over an [`Interval`](interval::Interval) about once a
//! second. The [`Aggregate`](aggregate::Aggregate) adds up intervals in any order; a
//! [`SecondMerger`](second::SecondMerger) merges those of one second. Nothing here prints, reads a clock, or keeps
//! every sample.

pub(crate) mod aggregate;
pub(crate) mod apdex;
pub(crate) mod compact_histogram;
pub(crate) mod custom_metric;
pub(crate) mod histogram;
pub(crate) mod interval;
pub(crate) mod iteration_stats;
pub(crate) mod log_linear;
pub mod recorder;
pub(crate) mod row_stats;
pub mod sample;
pub mod sample_tap;
pub(crate) mod second;
pub(crate) mod shown_exchange;
pub(crate) mod survival;
pub(crate) mod threshold;
pub(crate) mod timeline;
pub mod trace;
pub mod wire;
