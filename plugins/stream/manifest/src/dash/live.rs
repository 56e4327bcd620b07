//! The rules of a manifest that changes, and the clocks that it names.

use viewer_core::{Availability, ClockSource, Live, resolve};

use super::document::{MpdClock, MpdDocument};
use super::placement::InheritedBase;
use super::warnings::DashWarnings;
use crate::instant::read_instant;

/// The beginning of the schemes of `UTCTiming`; a year follows the name.
const CLOCK_SCHEME: &str = "urn:mpeg:dash:utc:";

/// Returns the rules of a manifest of type `dynamic`. `url` is that of the manifest.
pub(super) fn live(mpd: &MpdDocument, url: &str, warnings: &mut DashWarnings) -> Option<Live> {
    if !mpd.is_dynamic {
        return None;
    }
    if mpd.availability_start.is_none() {
        warnings.add(mpd.line, "`@availabilityStartTime` is missing: 1970 is taken");
    }
    Some(Live {
        availability_start: mpd.availability_start.unwrap_or(0),
        update: mpd.update,
        depth: mpd.depth,
        delay: mpd.delay,
        latency: mpd.latency,
        location: mpd.location.as_deref().map(|location| resolve(url, location).into()),
        published: mpd.published,
    })
}

/// Returns the availability of segments.
pub(super) fn availability(live: &Live) -> Availability {
    Availability { start: live.availability_start, depth: live.depth }
}

/// Returns the sources of the wall clock, best first.
pub(super) fn clocks(mpd: &MpdDocument, base: &InheritedBase, warnings: &mut DashWarnings) -> Vec<ClockSource> {
    let mut sources = Vec::new();
    for clock in &mpd.clocks {
        add_sources(clock, base, &mut sources, warnings);
    }
    sources
}

fn add_sources(clock: &MpdClock, base: &InheritedBase, sources: &mut Vec<ClockSource>, warnings: &mut DashWarnings) {
    let scheme = clock.scheme.strip_prefix(CLOCK_SCHEME).and_then(|scheme| scheme.split(':').next());
    let outer = base.urls.first().map_or("", String::as_str);
    let urls = clock.value.split_ascii_whitespace().map(|reference| resolve(outer, reference).into_boxed_str());
    match scheme {
        Some("direct") => match read_instant(&clock.value) {
            Some(instant) => sources.push(ClockSource::Direct(instant)),
            None => warnings.add(clock.line, "`UTCTiming@value` is not a date: the clock is left out"),
        },
        Some("http-iso" | "http-xsdate") => sources.extend(urls.map(ClockSource::Body)),
        Some("http-head") => sources.extend(urls.map(ClockSource::Head)),
        _ => {
            let scheme: String = clock.scheme.chars().take(60).collect();
            warnings.add(clock.line, format!("the clock `{scheme}` is not supported: it is left out"));
        }
    }
}
