//! Sessions whose manifests are texts: the readers and the viewer together, as a driver puts them together.

#[path = "../../core/tests/viewer/simulator/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod simulator;

use std::fmt::Write as _;
use std::rc::Rc;

use simulator::network::Network;
use simulator::site::{Answer, ORIGIN, Site};
use simulator::{Record, WALL, play};
use viewer_core::{Content, Fetch, Metric, Micros, Outcome, Profile, SECOND, Settings, Viewer, What};
use viewer_manifest::{ManifestError, PlaylistContext, read_index, read_manifest, read_playlist};

/// A site whose manifests are texts; everything else has some bytes.
struct Texts<F> {
    /// Returns the text at a URL at an instant; `None` for media.
    text: F,
    /// Delta updates that were read.
    deltas: u32,
}

impl<F: FnMut(&str, Micros) -> Option<Vec<u8>>> Site for Texts<F> {
    fn answer(&mut self, _: &Fetch, _: Micros) -> Answer {
        unreachable!("the viewer is given")
    }

    fn answer_viewer(&mut self, viewer: &Viewer, fetch: &Fetch, now: Micros) -> Answer {
        let url = fetch.resource.url.as_str();
        let at = held_until(url, now);
        let Some(bytes) = (self.text)(url.strip_prefix(ORIGIN).unwrap(), at) else {
            return Answer::media(fetch.resource.range.map_or(50_000, |range| range.length));
        };
        let length = bytes.len() as u64;
        let content = match fetch.what {
            What::Manifest => read_manifest(&bytes, url, None).map(|noted| {
                let presentation = Rc::new(noted.value.presentation);
                match noted.value.entry {
                    Some(entry) => Content::Entry(presentation, Rc::new(entry)),
                    None => Content::Presentation(presentation),
                }
            }),
            What::Index(_) => {
                let offset = fetch.resource.range.map_or(0, |range| range.start);
                let indexed = viewer.indexed(fetch.id).expect("the index is of something");
                read_index(&bytes, offset, indexed).map(|list| Content::Playlist(Rc::new(list)))
            }
            _ => {
                let previous = viewer.previous_list(fetch.id).map(|list| &**list);
                self.deltas += u32::from(bytes.windows(10).any(|window| window == b"EXT-X-SKIP"));
                let context = PlaylistContext { url, previous, ..PlaylistContext::default() };
                read_playlist(&bytes, &context).map(|noted| Content::Playlist(Rc::new(noted.value)))
            }
        };
        let content = content.unwrap_or_else(|error: ManifestError| match error.needs_whole {
            true => Content::Unmergeable,
            false => panic!("{url}: {error}"),
        });
        Answer { bytes: length, not_before: at, ..Answer::content(content) }
    }
}

/// Returns the instant until which a live server holds a request: each segment has two parts of a second.
fn held_until(url: &str, now: Micros) -> Micros {
    let number =
        |name: &str| -> Option<Micros> { url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name))?.parse().ok() };
    let wanted = number("_HLS_msn=").map(|segment| (segment - 100) * 2 + number("_HLS_part=").unwrap_or(1) + 1);
    wanted.map_or(now, |parts| now.max(parts * SECOND))
}

fn session(profile: Profile, text: impl FnMut(&str, Micros) -> Option<Vec<u8>>, seconds: Micros) -> Record {
    let mut site = Texts { text, deltas: 0 };
    play(Settings::new(profile), &mut site, &Network::constant(4_000), seconds * SECOND)
}

fn paths(record: &Record, what: impl Fn(What) -> bool) -> Vec<&str> {
    record.of(what).iter().map(|request| request.url.strip_prefix(ORIGIN).unwrap()).collect()
}

#[test]
fn a_recording_of_hls_is_played_from_its_texts() {
    let text = |url: &str, _: Micros| {
        let text = match url.split('?').next().unwrap() {
            "/master" => {
                "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nlow/list.m3u8\n\
                 #EXT-X-STREAM-INF:BANDWIDTH=200000,AUDIO=\"a\"\nhigh/list.m3u8\n\
                 #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"main\",URI=\"sound.m3u8\"\n"
            }
            list if list.ends_with(".m3u8") => {
                "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"700@0\"\n#EXTINF:4,\n\
                 #EXT-X-BYTERANGE:30000@700\nall.mp4\n#EXTINF:3.5,\n#EXT-X-BYTERANGE:20000\nall.mp4\n#EXT-X-ENDLIST\n"
            }
            _ => return None,
        };
        Some(text.as_bytes().to_vec())
    };
    let record = session(Profile::hls_js(), text, 60);
    assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
    assert_eq!(paths(&record, |what| matches!(what, What::Playlist(_))), ["/high/list.m3u8", "/sound.m3u8"]);
    let bytes: Vec<_> =
        record.of(|what| matches!(what, What::Segment(_))).iter().map(|request| request.bytes).collect();
    assert_eq!(bytes.iter().sum::<u64>(), 100_000);
}

/// Returns a low-latency playlist at an instant, whole or as a delta update.
fn low_latency(now: Micros, is_delta: bool) -> String {
    let parts = now / SECOND;
    let (end, open) = (100 + parts / 2, parts % 2);
    let first = end - 12;
    let mut text = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=1\n\
         #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3,CAN-SKIP-UNTIL=12\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
    );
    if is_delta {
        text.push_str("#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n");
    }
    let part =
        |number: Micros, part: Micros| format!("#EXT-X-PART:DURATION=1,URI=\"{number}.{part}\",INDEPENDENT=YES\n");
    for number in if is_delta { first + 6 } else { first }..end {
        if number + 2 >= end {
            text += &part(number, 0);
            text += &part(number, 1);
        }
        writeln!(text, "#EXTINF:2,\n{number}").unwrap();
    }
    if open == 1 {
        text += &part(end, 0);
    }
    writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{end}.{open}\"").unwrap();
    text
}

#[test]
fn delta_updates_are_merged_with_the_playlist_before() {
    let text = |url: &str, now: Micros| match url {
        "/master?token=x" => Some(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=200000\nlist.m3u8\n".to_vec()),
        list if list.starts_with("/list") => Some(low_latency(now, list.contains("_HLS_skip=YES")).into_bytes()),
        _ => None,
    };
    let mut site = Texts { text, deltas: 0 };
    let record = play(Settings::new(Profile::hls_js()), &mut site, &Network::constant(4_000), 30 * SECOND);
    assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
    assert!(site.deltas >= 28, "{}", site.deltas);
    let parts = paths(&record, |what| matches!(what, What::Part(_)));
    assert!(parts.len() >= 28 && parts.windows(2).all(|pair| pair[0] != pair[1]), "{parts:?}");
    assert!(record.all(Metric::Latency).iter().all(|latency| *latency < 4_500.0));
}

#[test]
fn a_live_manifest_of_dash_is_played_from_its_text() {
    let start = (WALL - 3600 * SECOND) / SECOND;
    assert_eq!(start, 1_796_079_600, "2026-11-30T23:00:00Z");
    let text = |url: &str, now: Micros| {
        if url.starts_with("/v1/") {
            return None;
        }
        let first = 3600 / 2 + now / SECOND / 2 - 15;
        let text = format!(
            "<MPD type=\"dynamic\" availabilityStartTime=\"2026-11-30T23:00:00Z\" minimumUpdatePeriod=\"PT4S\" \
             timeShiftBufferDepth=\"PT30S\" suggestedPresentationDelay=\"PT8S\"><Period id=\"1\" start=\"PT0S\">\
             <AdaptationSet mimeType=\"video/mp4\"><SegmentTemplate timescale=\"1000\" media=\"$RepresentationID$/$Time$.m4s\" \
             initialization=\"$RepresentationID$/init.mp4\"><SegmentTimeline><S t=\"{}\" d=\"2000\" r=\"14\"/>\
             </SegmentTimeline></SegmentTemplate><Representation id=\"v1\" bandwidth=\"200000\"/></AdaptationSet></Period></MPD>",
            first * 2000
        );
        Some(text.into_bytes())
    };
    let record = session(Profile::dash_js(), text, 30);
    assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
    let segments = paths(&record, |what| matches!(what, What::Segment(_)));
    let times: Vec<_> = segments.iter().map(|path| path[4..path.len() - 4].parse::<i64>().unwrap()).collect();
    assert!(times.len() > 12 && times.windows(2).all(|pair| pair[1] == pair[0] + 2000), "{times:?}");
    assert_eq!(paths(&record, |what| matches!(what, What::Init(_))), ["/v1/init.mp4"]);
}
