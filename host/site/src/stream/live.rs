//! Live HLS (RFC 8216): a playlist whose window slides with the clock, and the segments that exist at the time.

use std::fmt::Write;

use super::hls;
use super::micros::Micros;
use super::refusal::Refusal;
use super::request::StreamRequest;
use super::spec::StreamSpec;
use super::track::Track;
use super::window::{LiveWindow, has_left};
use crate::page_outcome::PageReply;

/// Serves a media playlist.
///
/// # Errors
/// The track does not exist, or has no complete segment.
pub(crate) fn media(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let track = request.track()?;
    let text = media_text(&request.spec, &track, request.position()?, request.name_offset(&track));
    let text = text.ok_or(Refusal::not_found("no segment is complete"))?;
    Ok(hls::playlist(request, text))
}

/// Serves a segment.
///
/// # Errors
/// The segment does not exist at the time.
pub(crate) fn segment(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let track = request.track()?;
    let number = request.segment_number(&track)?;
    let (segment, position) = (track.segment(number), request.position()?);
    let is_early = position < segment.end().saturating_add(request.spec.faults.late);
    if is_early || has_left(&segment, position, request.spec.window) {
        return Err(Refusal::not_found("the segment does not exist at this time"));
    }
    Ok(hls::media(&track, track.segment_body(number)))
}

/// Returns the media playlist at a position, whose numbers are higher than those of the segments by `offset`; `None`
/// before the first segment is complete.
fn media_text(spec: &StreamSpec, track: &Track, position: Micros, offset: u64) -> Option<String> {
    let LiveWindow { first, end } = LiveWindow::at(track, position, spec.window);
    if first == end {
        return None;
    }
    let mut text = hls::media_head(track, 6);
    let _ = writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{}", first + offset);
    hls::add_discontinuity_sequence(&mut text, spec, first);
    hls::add_map(&mut text, track);
    for number in first..end {
        let is_discontinuity = hls::add_discontinuity(&mut text, spec, track, number);
        if number == first || is_discontinuity {
            hls::add_date(&mut text, spec, track, number);
        }
        hls::add_segment(&mut text, spec, track, number, number + offset);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::filler_track::FillerTrack;
    use crate::stream::micros::SECOND;

    fn text(options: &str, seconds: u64) -> Option<String> {
        let spec = StreamSpec::parse(&format!("a,segment=2s,window=6s{options}"), None).unwrap();
        let track = Track::Filler(FillerTrack::find(&spec, "800k").unwrap());
        media_text(&spec, &track, seconds * SECOND, 0)
    }

    #[test]
    fn a_playlist_lists_the_complete_segments_of_the_window() {
        let expected = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n\
            #EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:12.000Z\n\
            #EXTINF:2.000,\n1.m4s\n#EXTINF:2.000,\n2.m4s\n#EXTINF:2.000,\n3.m4s\n";
        assert_eq!(text(",start=10", 9).unwrap(), expected);
        assert_eq!(text("", 1), None);
        assert!(text(",container=ts", 4).unwrap().ends_with("0.ts\n#EXTINF:2.000,\n1.ts\n"));
    }

    #[test]
    fn discontinuities_are_counted_when_they_have_left() {
        let sequence = |seconds| {
            let text = text(",discontinuity=2", seconds).unwrap();
            let value = text.split("DISCONTINUITY-SEQUENCE:").nth(1).unwrap().lines().next().unwrap().to_owned();
            (value, text.matches("#EXT-X-DISCONTINUITY\n").count())
        };
        // Segments 0 to 2, 1 to 3, 2 to 4, 3 to 5.
        assert_eq!(sequence(6), ("0".into(), 1));
        assert_eq!(sequence(8), ("0".into(), 1));
        assert_eq!(sequence(10), ("0".into(), 2));
        assert_eq!(sequence(12), ("1".into(), 1));
    }
}
