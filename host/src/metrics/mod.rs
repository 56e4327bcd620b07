//! Measurement, from a single exchange to the numbers of a whole run.
//!
//! The hot path measures each exchange as a [`Sample`](sample::Sample). Each worker counts its samples in its own
//! [`Recorder`](recorder::Recorder), without locks, and hands over an [`Interval`](interval::Interval) about once a
//! second. The [`Aggregate`](aggregate::Aggregate) adds up intervals in any order; a
//! [`SecondMerger`](second::SecondMerger) merges those of one second. Nothing here prints, reads a clock, or keeps
//! every sample.

pub mod aggregate;
pub mod custom_metric;
pub mod histogram;
pub mod interval;
pub mod iteration_stats;
pub mod log_linear;
pub mod recorder;
pub mod row_stats;
pub mod sample;
pub mod second;
pub mod survival;
pub mod threshold;
pub mod timeline;
