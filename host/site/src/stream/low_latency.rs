//! Low-latency HLS (RFC 8216bis): parts of segments that are listed as soon as they are complete, replies that wait for
//! the part that they are asked for, and updates that leave out what the viewer knows.

use std::fmt::Write;

use super::directives::Directives;
use super::hls;
use super::micros::{Micros, Seconds};
use super::refusal::Refusal;
use super::request::StreamRequest;
use super::track::Track;
use super::window::{LiveEdge, LiveWindow, PartName, has_left};
use crate::page_outcome::PageOutcome;

/// Distance from the edge, in target durations, up to which segments are listed with their parts.
const TARGETS_WITH_PARTS: u64 = 3;

/// Distance from the edge, in target durations, from which on an update leaves segments out.
const TARGETS_NOT_SKIPPED: u64 = 6;

/// Distance from the edge, in parts, at which a viewer should play.
const PARTS_HELD_BACK: u64 = 3;

/// A media playlist at one time.
struct LowLatencyPlaylist<'a> {
    request: &'a StreamRequest<'a>,
    track: Track,
    position: Micros,
    edge: LiveEdge,
    window: LiveWindow,
}

/// Serves a media playlist, once it has what the request's directives ask for.
///
/// # Errors
/// The track does not exist or has no complete part, or the directives ask for too much.
pub(crate) fn media(request: &StreamRequest<'_>) -> Result<PageOutcome, Refusal> {
    let track = request.track()?;
    let directives = Directives::parse(request.page)?;
    let position = request.position()?;
    let edge = LiveEdge::at(&track, position);
    let due = directives.due(&track, edge)?.filter(|due| *due > position && !request.spec.faults.unblocked);
    if let Some(due) = due {
        return Ok(request.wait_until(due, hls::target_duration(&track)));
    }
    let window = LiveWindow::at(&track, position, request.spec.window);
    if window.first == window.end && edge.parts == 0 {
        return Err(Refusal::not_found("no part is complete"));
    }
    let playlist = LowLatencyPlaylist { request, track, position, edge, window };
    Ok(hls::playlist(request, playlist.text(directives.skip)).into())
}

/// Serves a part: a complete one at once, the one in progress when it is complete.
///
/// # Errors
/// The part does not exist at the time.
pub(crate) fn part(request: &StreamRequest<'_>) -> Result<PageOutcome, Refusal> {
    let track = request.track()?;
    let names = request.file.strip_suffix(".m4s").and_then(|names| names.split_once('.'));
    let numbers = names.and_then(|(number, index)| Some((number.parse().ok()?, index.parse().ok()?)));
    let (number, index) = numbers.ok_or(Refusal::not_found("no such file"))?;
    let part = track.part(number, index).ok_or(Refusal::not_found("no such part"))?;
    let position = request.position()?;
    if position < part.start || has_left(&track.segment(number), position, request.spec.window) {
        return Err(Refusal::not_found("the part does not exist at this time"));
    }
    if position < part.end() {
        return Ok(request.wait_until(part.end(), hls::target_duration(&track)));
    }
    Ok(hls::media(&track, track.slice_body(number, &part.bytes)).into())
}

impl LowLatencyPlaylist<'_> {
    /// Returns the playlist; with `skip` without its older segments.
    fn text(&self, skip: bool) -> String {
        let spec = &self.request.spec;
        let target = hls::target_duration(&self.track);
        let end = self.edge.end(&self.track);
        let mut text = hls::media_head(&self.track, 9);
        self.add_server_control(&mut text, TARGETS_NOT_SKIPPED * target);
        let _ = writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{}", self.window.first);
        hls::add_discontinuity_sequence(&mut text, spec, self.window.first);
        let known = self.track.number_at(end.saturating_sub(TARGETS_NOT_SKIPPED * target));
        let first = if skip && known > self.window.first { known } else { self.window.first };
        if first == self.window.first {
            hls::add_map(&mut text, &self.track);
        } else {
            let _ = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={}", first - self.window.first);
        }
        for number in first..self.window.end {
            self.add_begin(&mut text, number, first);
            if self.track.segment(number).end() + TARGETS_WITH_PARTS * target > end {
                self.add_parts(&mut text, number, self.track.part_count(number));
            }
            hls::add_segment(&mut text, spec, &self.track, number, number);
        }
        if self.edge.parts > 0 {
            self.add_begin(&mut text, self.edge.number, first);
            self.add_parts(&mut text, self.edge.number, self.edge.parts);
        }
        let LiveEdge { number, parts } = self.edge;
        let _ = writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{number}.{parts}.m4s\"");
        self.add_reports(&mut text);
        text
    }

    fn add_server_control(&self, text: &mut String, skip_until: Micros) {
        let part = self.track.part_target();
        let _ = write!(
            text,
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={},CAN-SKIP-UNTIL={}\n\
             #EXT-X-PART-INF:PART-TARGET={}\n",
            Seconds(PARTS_HELD_BACK * part),
            Seconds(skip_until),
            Seconds(part)
        );
    }

    /// Adds the lines before a segment and its parts, in a playlist that begins with segment `first`.
    fn add_begin(&self, text: &mut String, number: u64, first: u64) {
        let is_discontinuity = hls::add_discontinuity(text, &self.request.spec, &self.track, number);
        if is_discontinuity || number == first {
            hls::add_date(text, &self.request.spec, &self.track, number);
        }
    }

    /// Adds the first parts of a segment.
    fn add_parts(&self, text: &mut String, number: u64, count: u64) {
        for (index, part) in (0..count).filter_map(|index| Some((index, self.track.part(number, index)?))) {
            let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
            let gap = if self.request.spec.faults.is_gap(number) { ",GAP=YES" } else { "" };
            let duration = Seconds(part.duration);
            let _ = writeln!(text, "#EXT-X-PART:DURATION={duration},URI=\"{number}.{index}.m4s\"{independent}{gap}");
        }
    }

    /// Adds the edge of the other tracks, so that a viewer can switch to one without reading its playlist twice.
    fn add_reports(&self, text: &mut String) {
        for track in self.request.tracks().iter().filter(|track| track.name() != self.track.name()) {
            let edge = LiveEdge::at(track, self.position);
            let Some(PartName { number, index }) = edge.last_part(track) else { continue };
            let name = track.name();
            let _ = writeln!(
                text,
                "#EXT-X-RENDITION-REPORT:URI=\"../{name}/media.m3u8\",LAST-MSN={number},LAST-PART={index}"
            );
        }
    }
}
