//! The sums of a run so far, for outputs whose reader expects totals that only grow, and the counts of each second
//! apart, for those whose reader adds up itself.
//!
//! A sink may miss seconds ([`SinkThreads`](super::SinkThreads)), so sums of seconds may be too small. When the run is
//! over they are therefore replaced by the numbers of the report ([`RunSums::finish`]): the last values that are read
//! equal the report, whatever was missed before. What is sent second by second gets the difference then
//! ([`RunSums::finish_apart`]).
//!
//! Memory is bounded by the number of names in the script: durations are counted in buckets, and no more than
//! [`MAX_ROWS`](labels::MAX_ROWS) rows are told apart.

mod bucketed_times;
mod labels;
mod of_report;
mod plugin_metrics;
mod run_sums;
mod second_sums;
#[cfg(test)]
mod tests;

pub(super) use bucketed_times::{BucketedTimes, EXPONENTIAL_SCALE};
pub(super) use labels::RowLabels;
#[cfg(test)]
pub(super) use run_sums::ThresholdOutcome;
pub(super) use run_sums::{GuestSums, LoadSums, PHASES, RowSums, RunSums, WorkerSums};
pub(super) use second_sums::SecondSums;
