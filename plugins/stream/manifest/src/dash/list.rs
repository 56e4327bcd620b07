//! Segments that a `SegmentList` names one by one.

use viewer_core::{Micros, Run, SegmentSpec, from_ticks};

use super::document::Addressing;
use super::rung_builder::{RungBuilder, offset, timescale};
use super::tracks::PeriodMedia;
use crate::note::ManifestError;

/// Bytes that a listed segment takes besides its reference.
const SEGMENT: usize = 72;

/// The place of a segment, in ticks of media time.
#[derive(Debug, Clone, Copy)]
struct TickSpan {
    time: i64,
    duration: u64,
}

/// Adds the segments of a period.
pub(super) fn add_list(rung: &mut RungBuilder<'_>, media: &PeriodMedia<'_>) -> Result<(), ManifestError> {
    let PeriodMedia { period, representation } = media;
    let addressing = &representation.addressing;
    let Some(urls) = &addressing.urls else {
        return Err(ManifestError::new(representation.line, "the `SegmentList` has no `SegmentURL`")
            .help("name each segment with a `SegmentURL`"));
    };
    let mut spec = rung.stretch(media, rung.number(addressing.start_number.unwrap_or(1)))?;
    let (init, discontinuity) = (spec.init, spec.discontinuity);
    let length = period.end.map_or(Micros::MAX, |end| end.saturating_sub(period.start));
    let micros = |ticks: i64| from_ticks(ticks.saturating_sub(offset(addressing)), timescale(addressing));
    let mut end = None;
    for (url, span) in urls.iter().zip(spans(addressing, length)) {
        rung.warnings.copy(representation.line, SEGMENT + url.media.as_deref().map_or(0, str::len))?;
        let start = micros(span.time);
        let stop = micros(span.time.saturating_add_unsigned(span.duration)).min(length);
        if stop <= 0 || start >= length {
            continue;
        }
        match end {
            None => {
                spec.start = spec.start.saturating_add(start);
                rung.builder.list(std::mem::take(&mut spec));
            }
            Some(end) => rung.builder.gap(start.saturating_sub(end)),
        }
        rung.lengthen(stop.saturating_sub(start));
        rung.builder.segment(SegmentSpec {
            url: url.media.as_deref().unwrap_or_default(),
            duration: stop.saturating_sub(start),
            range: url.range,
            wall: None,
            discontinuity,
            init,
            key: None,
            is_gap: false,
        });
        end = Some(stop);
    }
    if end.is_none() {
        rung.builder.list(spec);
    }
    Ok(())
}

/// Returns the places of segments: by a timeline, by a constant duration, or one that is as long as the period.
fn spans(addressing: &Addressing, length: Micros) -> Box<dyn Iterator<Item = TickSpan> + '_> {
    let constant = |duration: u64| Run { first: 0, time: offset(addressing), duration, count: u64::MAX };
    match (&addressing.timeline, addressing.duration) {
        (Some(runs), _) => Box::new(runs.iter().flat_map(spans_of)),
        (None, Some(duration)) => Box::new(spans_of(&constant(duration))),
        (None, None) => {
            let ticks = i128::from(length).saturating_mul(i128::from(timescale(addressing))) / 1_000_000;
            Box::new(spans_of(&constant(u64::try_from(ticks).unwrap_or(u64::MAX).max(1))).take(1))
        }
    }
}

fn spans_of(run: &Run) -> impl Iterator<Item = TickSpan> + use<> {
    let Run { time, duration, count, .. } = *run;
    (0..count).map_while(move |index| {
        let time = i64::try_from(index.checked_mul(duration)?).ok()?.checked_add(time)?;
        Some(TickSpan { time, duration })
    })
}
