//! An [`Interval`] as bytes, for its way from one machine to another. A machine that is one of several counts as a
//! worker there: its intervals, read back, are added to the [`Aggregate`](super::aggregate::Aggregate) as those of a
//! thread are.
//!
//! ```text
//! version | rows, metrics, scenarios | users | warm-up | rows with counts | start delays | iterations | metrics
//!         | health | examples | exchanges
//! ```
//!
//! Whole numbers have seven bits a byte, the lowest first, and a mark in the eighth if more follow. A histogram is its
//! bins in use, see [`bins`]. What is empty takes no space, or one bit, so that a script of a thousand steps costs what
//! its busy ones do. Traces are not in it: each machine exports its own.
//!
//! The bytes may come from anywhere. A reader knows the [`IntervalShape`] of its own plan, so that what it builds is
//! bounded by that shape and by the length of the bytes. A number that no run counts to is refused, since sums of
//! such numbers would not fit.

mod bins;
mod bytes;
mod counts;
mod rows;
mod shape;
mod shown;
#[cfg(test)]
mod tests;

use bytes::{ByteReader, write_count};

use super::interval::Interval;

pub use shape::{IntervalShape, VERSION, WireError};

/// The most bytes that are read as one interval.
pub const MAX_BYTES: usize = 16 << 20;

/// Appends an interval, without its traces.
pub fn write(interval: &Interval, out: &mut Vec<u8>) {
    out.push(VERSION);
    for length in [interval.rows.len(), interval.tallies.len(), interval.iterations.len()] {
        write_count(length as u64, out);
    }
    write_count(interval.users_active.into(), out);
    write_count(interval.warm_up, out);
    rows::write(&interval.rows, out);
    bins::write(interval.start_delay.bins(), out);
    counts::write(interval, out);
    shown::write(interval, out);
}

/// Reads an interval into one of this shape, which is emptied first and whose memory is used again.
///
/// # Errors
/// The bytes are not an interval of this shape. `into` is empty then.
pub fn read(bytes: &[u8], shape: &IntervalShape, into: &mut Interval) -> Result<(), WireError> {
    into.clear();
    let result = read_into(bytes, shape, into);
    if result.is_err() {
        into.clear();
    }
    result
}

fn read_into(bytes: &[u8], shape: &IntervalShape, into: &mut Interval) -> Result<(), WireError> {
    if bytes.len() > MAX_BYTES {
        return Err(WireError::TooLong);
    }
    let mut reader = ByteReader::new(bytes);
    match reader.byte()? {
        VERSION => {}
        other => return Err(WireError::Version(other)),
    }
    let lengths = [
        (shape.rows == into.rows.len(), shape.rows, "rows"),
        (shape.metrics.len() == into.tallies.len(), shape.metrics.len(), "metrics"),
        (true, shape.scenarios, "scenarios"),
    ];
    let mut scenarios = 0;
    for (fits, length, what) in lengths {
        scenarios = reader.length()?;
        // Before the first iteration there may be fewer scenarios.
        if !fits || scenarios > length || (scenarios < length && what != "scenarios") {
            return Err(WireError::Shape(what));
        }
    }
    into.users_active = reader.number("number of users")?;
    into.warm_up = reader.count()?;
    rows::read(&mut reader, &mut into.rows)?;
    bins::read_into(&mut reader, &mut into.start_delay)?;
    counts::read(&mut reader, shape, scenarios, into)?;
    shown::read(&mut reader, shape.rows, into)?;
    if reader.is_at_end() { Ok(()) } else { Err(WireError::TooLong) }
}
