//! The iterations, the values of metrics and the health of an interval as bytes.

use super::bins;
use super::bytes::{ByteReader, write_count, write_float, write_optional};
use super::shape::{IntervalShape, WireError};
use crate::metrics::custom_metric::{MetricTally, ValueRange};
use crate::metrics::interval::{Interval, IntervalHealth};
use crate::metrics::iteration_stats::IterationStats;

/// Appends the iterations, the metrics with values and the health.
pub(super) fn write(interval: &Interval, out: &mut Vec<u8>) {
    for IterationStats { completed, cut_short, dropped, duration } in &interval.iterations {
        [completed, cut_short, dropped].into_iter().for_each(|count| write_count(*count, out));
        bins::write(duration.bins(), out);
    }
    for tally in &interval.tallies {
        write_count(tally.count, out);
        if tally.count > 0 {
            write_tally(tally, out);
        }
    }
    let IntervalHealth { cpu, wall, cpu_wait, loop_lag_max, connections, .. } = interval.health;
    [cpu, wall, loop_lag_max, connections.into()].into_iter().for_each(|count| write_count(count, out));
    write_optional(cpu_wait, out, write_count);
    for list in plugin_lists(&interval.health) {
        write_count(list.len() as u64, out);
        list.iter().for_each(|count| write_count(*count, out));
    }
}

/// Reads them into an empty interval.
pub(super) fn read(
    reader: &mut ByteReader<'_>,
    shape: &IntervalShape,
    scenarios: usize,
    into: &mut Interval,
) -> Result<(), WireError> {
    into.iterations.resize_with(scenarios, IterationStats::default);
    for IterationStats { completed, cut_short, dropped, duration } in &mut into.iterations {
        for count in [completed, cut_short, dropped] {
            *count = reader.count()?;
        }
        bins::read_into(reader, duration)?;
    }
    for tally in &mut into.tallies {
        tally.count = reader.count()?;
        if tally.count > 0 {
            read_tally(reader, tally)?;
        }
    }
    let health = &mut into.health;
    for time in [&mut health.cpu, &mut health.wall, &mut health.loop_lag_max] {
        *time = reader.count()?;
    }
    health.connections = reader.number("number of connections")?;
    health.cpu_wait = reader.optional(ByteReader::count)?;
    let IntervalHealth { guest, guest_calls, guest_traps, guest_collateral, .. } = health;
    for list in [guest, guest_calls, guest_traps, guest_collateral] {
        let length = reader.length()?;
        if length > shape.plugins {
            return Err(WireError::Shape("plugins"));
        }
        list.clear();
        for _ in 0..length {
            list.push(reader.count()?);
        }
    }
    Ok(())
}

/// Returns the numbers of each plugin.
const fn plugin_lists(health: &IntervalHealth) -> [&Vec<u64>; 4] {
    [&health.guest, &health.guest_calls, &health.guest_traps, &health.guest_collateral]
}

fn write_tally(tally: &MetricTally, out: &mut Vec<u8>) {
    write_count(tally.hits, out);
    let ValueRange { min, max } = tally.range;
    [tally.sum, min, max, tally.last].into_iter().for_each(|value| write_float(value, out));
    if let Some(trend) = &tally.trend {
        bins::write_trend(trend, out);
    }
}

fn read_tally(reader: &mut ByteReader<'_>, tally: &mut MetricTally) -> Result<(), WireError> {
    tally.hits = reader.count()?;
    let ValueRange { min, max } = &mut tally.range;
    for value in [&mut tally.sum, min, max, &mut tally.last] {
        *value = reader.float()?;
    }
    if let Some(trend) = &mut tally.trend {
        bins::read_trend(reader, trend)?;
    }
    Ok(())
}
