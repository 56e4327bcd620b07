//! Histograms as bytes: their number of bins in use, then the bins in ascending order, most of them a byte each.
//!
//! In a second, most bins of a row have a count of 1 and empty ones between them, or few counts and none between them.
//! So the remainder of each number by three says what it is about:
//!
//! | remainder | the rest, `n` |
//! |--:|---|
//! | 0 | a bin with a count of 1, after `n` empty ones |
//! | 1 | the next bin, with a count of `n + 2` |
//! | 2 | `n + 1` empty bins, before one with a greater count |

use hdrhistogram::{Counter, Histogram};

use super::bytes::{ByteReader, write_count};
use super::shape::WireError;
use crate::metrics::compact_histogram::{Bin, CompactHistogram};
use crate::metrics::custom_metric::{MAX_VALUE, TREND_SCALE};
use crate::metrics::histogram::{self, FINE, MAX_MICROS, counted_values};

/// The kinds of numbers.
const SINGLE: u64 = 0;
const COUNTED: u64 = 1;
const GAP: u64 = 2;
const KINDS: u64 = 3;

/// Appends bins in ascending order.
pub(super) fn write(bins: impl Iterator<Item = Bin<u64>>, out: &mut Vec<u8>) {
    let at = out.len();
    let (mut length, mut next) = (0_u64, 0);
    for Bin { index, count } in bins {
        let empty = u64::from(index - next);
        next = index + 1;
        length += 1;
        if count == 1 {
            write_count(empty * KINDS + SINGLE, out);
            continue;
        }
        if empty > 0 {
            write_count((empty - 1) * KINDS + GAP, out);
        }
        write_count((count - 2) * KINDS + COUNTED, out);
    }
    // Most histograms have fewer than 128 bins, so that nothing is moved far.
    let mut head = Vec::with_capacity(3);
    write_count(length, &mut head);
    out.splice(at..at, head);
}

/// Reads bins, none of which is beyond `last`, and gives each to `add`.
fn read(reader: &mut ByteReader<'_>, last: u32, mut add: impl FnMut(Bin<u64>)) -> Result<(), WireError> {
    let mut next = 0_u64;
    for _ in 0..reader.length_up_to(last as usize + 1)? {
        let mut number = reader.whole()?;
        if number % KINDS == GAP {
            next = next.saturating_add(number / KINDS + 1);
            number = reader.whole()?;
            if number % KINDS != COUNTED {
                return Err(WireError::Invalid("bin"));
            }
        }
        let count = if number % KINDS == SINGLE {
            next = next.saturating_add(number / KINDS);
            1
        } else {
            u32::try_from(number / KINDS + 2).map_err(|_| WireError::Invalid("count of a bin"))?.into()
        };
        if next > last.into() {
            return Err(WireError::Invalid("bin"));
        }
        add(Bin { index: next as u32, count });
        next += 1;
    }
    Ok(())
}

/// Reads bins into an empty histogram of durations.
pub(super) fn read_into<C: Counter>(
    reader: &mut ByteReader<'_>,
    into: &mut CompactHistogram<C>,
) -> Result<(), WireError> {
    let last = into.index(MAX_MICROS);
    read(reader, last, |bin| into.add_bin(bin))
}

/// Appends the distribution of a metric.
pub(super) fn write_trend(trend: &Histogram<u64>, out: &mut Vec<u8>) {
    let bins = CompactHistogram::<u64>::new(FINE);
    write(counted_values(trend).map(|one| Bin { index: bins.index(one.value), count: one.count }), out);
}

/// Reads the distribution of a metric into an empty one.
pub(super) fn read_trend(reader: &mut ByteReader<'_>, into: &mut Histogram<u64>) -> Result<(), WireError> {
    let bins = CompactHistogram::<u64>::new(FINE);
    let last = bins.index((MAX_VALUE * TREND_SCALE) as u64);
    read(reader, last, |bin| histogram::record(into, bins.greatest(bin.index), bin.count))
}
