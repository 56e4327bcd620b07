//! The rows of an interval as bytes: those with counts, each with the number of empty ones before it, and a byte that
//! says which of its parts follow. Service times are left out where they are the response times, as they are if nothing
//! was started late.

use super::bins;
use super::bytes::{ByteReader, write_count};
use super::shape::WireError;
use crate::metrics::row_stats::{ByteCounts, ExchangeTimes, RowStats, TaskCounts};

/// The parts of a row, each a bit.
const TASKS: u8 = 1;
const EXCHANGES: u8 = 1 << 1;
const RESPONSE: u8 = 1 << 2;
const SERVICE: u8 = 1 << 3;
const PHASES: u8 = 1 << 4;
const FAILED: u8 = 1 << 5;
const CUT_OFF: u8 = 1 << 6;
const ALL: u8 = 0x7f;

/// The most status codes of a row: those that a reply can have.
const MAX_STATUSES: usize = 1_000;

/// Appends the rows.
pub(super) fn write(rows: &[RowStats<u32>], out: &mut Vec<u8>) {
    let with_counts = || rows.iter().enumerate().map(|(index, row)| (index, parts(row), row)).filter(|row| row.1 != 0);
    write_count(with_counts().count() as u64, out);
    let mut next = 0;
    for (index, parts, row) in with_counts() {
        write_count((index - next) as u64, out);
        next = index + 1;
        out.push(parts);
        write_row(row, parts, out);
    }
}

/// Reads rows into as many empty ones.
pub(super) fn read(reader: &mut ByteReader<'_>, rows: &mut [RowStats<u32>]) -> Result<(), WireError> {
    let mut rest = rows.iter_mut();
    for _ in 0..reader.length_up_to(rest.len())? {
        let row = rest.nth(reader.length()?).ok_or(WireError::Invalid("row"))?;
        read_row(reader, row)?;
    }
    Ok(())
}

/// Returns the parts of a row that are not empty.
fn parts(row: &RowStats<u32>) -> u8 {
    let has_exchanges = row.requests() > 0 || !row.statuses.is_empty() || row.bytes != ByteCounts::default();
    [
        (TASKS, row.tasks != TaskCounts::default()),
        (EXCHANGES, has_exchanges),
        (RESPONSE, !row.response.is_empty()),
        (SERVICE, row.service != row.response),
        (PHASES, row.phases.parts().iter().any(|phase| !phase.is_empty())),
        (FAILED, row.failed.is_some()),
        (CUT_OFF, row.cut_off.is_some()),
    ]
    .into_iter()
    .filter_map(|(part, is_there)| is_there.then_some(part))
    .fold(0, |parts, part| parts | part)
}

fn write_row(row: &RowStats<u32>, parts: u8, out: &mut Vec<u8>) {
    if parts & TASKS != 0 {
        let TaskCounts { started, passed, failed, cancelled, dropped } = row.tasks;
        [started, passed, failed, cancelled, dropped].into_iter().for_each(|count| write_count(count, out));
    }
    if parts & EXCHANGES != 0 {
        let ByteCounts { out: sent, received, body_in } = row.bytes;
        [row.ok].iter().chain(&row.err).chain(&[sent, received, body_in]).for_each(|count| write_count(*count, out));
        write_count(row.statuses.len() as u64, out);
        for (status, count) in &row.statuses {
            write_count((*status).into(), out);
            write_count(*count, out);
        }
    }
    if parts & RESPONSE != 0 {
        bins::write(row.response.bins(), out);
    }
    if parts & SERVICE != 0 {
        bins::write(row.service.bins(), out);
    }
    if parts & PHASES != 0 {
        row.phases.parts().iter().for_each(|phase| bins::write(phase.bins(), out));
    }
    row.failed.iter().chain(&row.cut_off).for_each(|times| write_times(times, out));
}

fn read_row(reader: &mut ByteReader<'_>, row: &mut RowStats<u32>) -> Result<(), WireError> {
    let parts = reader.byte()?;
    if parts == 0 || parts & !ALL != 0 {
        return Err(WireError::Invalid("row"));
    }
    if parts & TASKS != 0 {
        let TaskCounts { started, passed, failed, cancelled, dropped } = &mut row.tasks;
        for count in [started, passed, failed, cancelled, dropped] {
            *count = reader.count()?;
        }
    }
    if parts & EXCHANGES != 0 {
        let ByteCounts { out, received, body_in } = &mut row.bytes;
        for count in [&mut row.ok].into_iter().chain(&mut row.err).chain([out, received, body_in]) {
            *count = reader.count()?;
        }
        for _ in 0..reader.length_up_to(MAX_STATUSES)? {
            let status = reader.number("status")?;
            row.statuses.push((status, reader.count()?));
        }
    }
    if parts & RESPONSE != 0 {
        bins::read_into(reader, &mut row.response)?;
    }
    if parts & SERVICE != 0 {
        bins::read_into(reader, &mut row.service)?;
    } else {
        row.service.add(&row.response);
    }
    if parts & PHASES != 0 {
        for phase in row.phases.parts_mut() {
            bins::read_into(reader, phase)?;
        }
    }
    for (part, times) in [(FAILED, &mut row.failed), (CUT_OFF, &mut row.cut_off)] {
        if parts & part != 0 {
            *times = Some(read_times(reader)?.into());
        }
    }
    Ok(())
}

/// Appends the times of some exchanges, the service times only if they differ.
fn write_times(times: &ExchangeTimes<u32>, out: &mut Vec<u8>) {
    bins::write(times.response.bins(), out);
    let differs = times.service != times.response;
    out.push(u8::from(differs));
    if differs {
        bins::write(times.service.bins(), out);
    }
}

fn read_times(reader: &mut ByteReader<'_>) -> Result<ExchangeTimes<u32>, WireError> {
    let mut times = ExchangeTimes::default();
    bins::read_into(reader, &mut times.response)?;
    if reader.mark()? {
        bins::read_into(reader, &mut times.service)?;
    } else {
        times.service.add(&times.response);
    }
    Ok(times)
}
