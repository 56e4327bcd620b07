//! Measuring: from one exchange to the numbers of a whole run.
//!
//! A [`Sample`](sample::Sample) is what the hot path knows. Each worker counts its samples in a
//! [`Recorder`](recorder::Recorder) of its own, without locks, and about once a second hands over an
//! [`Interval`](interval::Interval). The [`Aggregate`](aggregate::Aggregate) adds intervals up, in any order; a
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
pub mod threshold;
pub mod timeline;
