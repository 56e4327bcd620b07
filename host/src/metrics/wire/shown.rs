//! The texts of an interval as bytes: examples of failures, and exchanges that are kept to be shown.

use super::bytes::{ByteReader, write_count, write_optional, write_text};
use super::shape::WireError;
use crate::metrics::interval::{EXAMPLE_CHARS, Example, Interval};
use crate::metrics::sample::{FailureKind, PhaseDurations, RowId, Sample, SpanId};
use crate::metrics::shown_exchange::{MAX_TEXT_BYTES, ShownExchange, ShownMessage};

/// The most examples of an interval, and the most exchanges. A machine has far fewer of both in a second.
const MAX_ITEMS: usize = 10_000;

/// The most bytes of a reason, and of a note.
const MAX_LINE_BYTES: usize = 64 << 10;

/// The most notes of an exchange.
const MAX_NOTES: usize = 1_000;

/// Appends the examples and the exchanges.
pub(super) fn write(interval: &Interval, out: &mut Vec<u8>) {
    write_count(interval.examples.len() as u64, out);
    for example in &interval.examples {
        write_count(example.row.into(), out);
        out.push(example.kind as u8);
        write_text(example.text(), out);
    }
    write_count(interval.exchanges.len() as u64, out);
    interval.exchanges.iter().for_each(|exchange| write_exchange(exchange, out));
}

/// Reads them into an interval of this many rows without any.
pub(super) fn read(reader: &mut ByteReader<'_>, rows: usize, into: &mut Interval) -> Result<(), WireError> {
    for _ in 0..reader.length_up_to(MAX_ITEMS)? {
        let (row, kind) = (row(reader, rows)?, kind(reader)?);
        let text = reader.text(4 * EXAMPLE_CHARS)?;
        into.examples.push(Example::of_clean(row, kind, text).ok_or(WireError::Invalid("example"))?);
    }
    for _ in 0..reader.length_up_to(MAX_ITEMS)? {
        into.exchanges.push(read_exchange(reader, rows)?);
    }
    Ok(())
}

fn row(reader: &mut ByteReader<'_>, rows: usize) -> Result<RowId, WireError> {
    let row: RowId = reader.number("row")?;
    if usize::from(row) < rows { Ok(row) } else { Err(WireError::Invalid("row")) }
}

fn kind(reader: &mut ByteReader<'_>) -> Result<FailureKind, WireError> {
    FailureKind::ALL.get(usize::from(reader.byte()?)).copied().ok_or(WireError::Invalid("kind of failure"))
}

fn write_exchange(exchange: &ShownExchange, out: &mut Vec<u8>) {
    let ShownExchange { sample, user, reason, request, reply, notes } = exchange;
    write_sample(sample, out);
    write_count((*user).into(), out);
    write_text(reason, out);
    write_optional(request.as_ref(), out, write_message);
    write_optional(reply.as_ref(), out, write_message);
    write_count(notes.len() as u64, out);
    notes.iter().for_each(|note| write_text(note, out));
}

fn read_exchange(reader: &mut ByteReader<'_>, rows: usize) -> Result<ShownExchange, WireError> {
    let sample = read_sample(reader, rows)?;
    let user = reader.number("user")?;
    let reason = reader.text(MAX_LINE_BYTES)?.to_owned();
    let (request, reply) = (reader.optional(read_message)?, reader.optional(read_message)?);
    let notes = reader.length_up_to(MAX_NOTES)?;
    let notes = (0..notes).map(|_| reader.text(MAX_LINE_BYTES).map(str::to_owned)).collect::<Result<_, _>>()?;
    Ok(ShownExchange { sample, user, reason, request, reply, notes })
}

fn write_sample(sample: &Sample, out: &mut Vec<u8>) {
    let Sample { row, intended, start, end, status, bytes_out, bytes_in, body_bytes_in, phases, failure, span } =
        *sample;
    let numbers = [row.into(), intended, start, end, status.into(), bytes_out, bytes_in, body_bytes_in];
    numbers.into_iter().for_each(|number| write_count(number, out));
    let PhaseDurations { dns, connect, tls, first_byte, receive } = phases;
    for phase in [dns, connect, tls, first_byte, receive] {
        write_optional(phase, out, write_count);
    }
    write_optional(failure, out, |kind, out| out.push(kind as u8));
    write_optional(span, out, |SpanId(span), out| write_count(span.get(), out));
}

fn read_sample(reader: &mut ByteReader<'_>, rows: usize) -> Result<Sample, WireError> {
    Ok(Sample {
        row: row(reader, rows)?,
        intended: reader.whole()?,
        start: reader.whole()?,
        end: reader.whole()?,
        status: reader.number("status")?,
        bytes_out: reader.whole()?,
        bytes_in: reader.whole()?,
        body_bytes_in: reader.whole()?,
        phases: PhaseDurations {
            dns: reader.optional(ByteReader::whole)?,
            connect: reader.optional(ByteReader::whole)?,
            tls: reader.optional(ByteReader::whole)?,
            first_byte: reader.optional(ByteReader::whole)?,
            receive: reader.optional(ByteReader::whole)?,
        },
        failure: reader.optional(kind)?,
        span: reader
            .optional(|reader| reader.whole()?.try_into().map(SpanId).map_err(|_| WireError::Invalid("span")))?,
    })
}

fn write_message(message: &ShownMessage, out: &mut Vec<u8>) {
    let ShownMessage { head, body, body_bytes, is_cut } = message;
    write_text(head, out);
    write_optional(body.as_deref(), out, write_text);
    write_count(*body_bytes, out);
    out.push(u8::from(*is_cut));
}

fn read_message(reader: &mut ByteReader<'_>) -> Result<ShownMessage, WireError> {
    // Texts are cut at a character, and what replaces a secret may be longer than it.
    let most = 4 * MAX_TEXT_BYTES;
    Ok(ShownMessage {
        head: reader.text(most)?.to_owned(),
        body: reader.optional(|reader| reader.text(most).map(str::to_owned))?,
        body_bytes: reader.whole()?,
        is_cut: reader.mark()?,
    })
}
