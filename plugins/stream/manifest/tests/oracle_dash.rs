//! Our reading of DASH beside that of mpd-parser 1.4.0, the reader of Video.js, which was recorded once: all segments
//! of all representations, with their places.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use viewer_core::{Micros, Presentation, SECOND, Source};
use viewer_manifest::read_manifest;

/// The wall clock at which it was recorded: 2026-12-01T00:00:00Z.
const WALL: Micros = 1_796_083_200 * SECOND;

/// The difference of times that numbers of floating point make, in microseconds.
const ROUNDING: Micros = 2;

/// Segments by their URLs.
type ByUrl = BTreeMap<String, RecordedPlace>;

#[derive(Debug, PartialEq)]
struct RecordedPlace {
    start: Micros,
    duration: Micros,
    init: String,
}

/// Returns the recorded segments of each fixture.
fn recorded(folder: &Path) -> BTreeMap<String, ByUrl> {
    let mut fixtures = BTreeMap::<String, ByUrl>::new();
    let mut name = String::new();
    for line in fs::read_to_string(folder.join("oracle/mpd-parser.txt")).unwrap().lines() {
        if let Some(next) = line.strip_prefix("== ") {
            name = next.to_owned();
            continue;
        }
        let [url, start, duration, init] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (start, duration) = (start.parse().unwrap(), duration.parse().unwrap());
        let place = RecordedPlace { start, duration, init: init.to_owned() };
        fixtures.entry(name.clone()).or_default().insert(url.to_owned(), place);
    }
    fixtures
}

/// Returns our segments, of each base.
fn ours(presentation: &Presentation) -> ByUrl {
    let mut segments = ByUrl::new();
    for rung in presentation.tracks.iter().flat_map(|track| &track.rungs) {
        let Source::Listed(list) = &rung.source else { panic!("an index") };
        for segment in list.window(WALL).map(|number| list.segment(number).unwrap()) {
            for base in 0..list.base_count(segment.number) {
                let init = segment.init.map_or("-".into(), |init| list.init(init, base).unwrap().url);
                let place = RecordedPlace { start: segment.start, duration: segment.duration, init };
                segments.insert(list.resource(segment.number, base).unwrap().url, place);
            }
        }
    }
    segments
}

#[test]
fn segments_are_those_of_video_js() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let fixtures = recorded(&folder);
    assert_eq!(fixtures.len(), 11);
    for (name, theirs) in fixtures {
        let bytes = fs::read(folder.join(format!("fixtures/dash/{name}.mpd"))).unwrap();
        let url = format!("https://site/a/b/{name}.mpd?token=a%2Fb");
        let ours = ours(&read_manifest(&bytes, &url, None).unwrap().value.presentation);
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{name}");
        for (url, place) in &ours {
            let their = &theirs[url];
            assert!((place.start - their.start).abs() <= ROUNDING, "{name} {url}: {place:?}, {their:?}");
            assert!((place.duration - their.duration).abs() <= ROUNDING, "{name} {url}: {place:?}, {their:?}");
            assert_eq!(place.init, their.init, "{name} {url}");
        }
    }
}
