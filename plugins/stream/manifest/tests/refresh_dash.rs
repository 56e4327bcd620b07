//! Manifests of DASH over time: windows by the clock, refreshes, and files whose indexes are fetched.

use std::ops::Range;
use std::rc::Rc;

use viewer_core::{ClockSource, Micros, Playlist, Presentation, SECOND, Source};
use viewer_manifest::{read_index, read_instant, read_manifest};

/// The wall clock of presentation time 0: 2026-11-30T12:00:00Z.
const START: Micros = 1_796_040_000 * SECOND;

/// Returns a manifest with attributes of its root, and the content of its only period.
fn mpd(attributes: &str, period: &str) -> String {
    format!(
        "<MPD type=\"dynamic\" availabilityStartTime=\"2026-11-30T12:00:00Z\" {attributes}><Period start=\"PT0S\">\
         <AdaptationSet mimeType=\"video/mp4\">{period}<Representation id=\"v\" bandwidth=\"1\"/></AdaptationSet>\
         </Period></MPD>"
    )
}

fn read(text: &str, url: &str) -> Rc<Presentation> {
    Rc::new(read_manifest(text.as_bytes(), url, None).unwrap().value.presentation)
}

fn list(presentation: &Presentation) -> &Rc<Playlist> {
    match &presentation.tracks[0].rungs[0].source {
        Source::Listed(list) => list,
        source => panic!("{source:?}"),
    }
}

/// Returns the window at a time after the start, in milliseconds.
fn window(presentation: &Presentation, elapsed: Micros) -> Range<u64> {
    list(presentation).window(START + elapsed * 1000)
}

const TWO_SECONDS: &str = "<SegmentTemplate timescale=\"1000\" duration=\"2000\" media=\"$Number$.m4s\"/>";

#[test]
fn segments_are_available_once_they_are_complete() {
    let live = read(&mpd("minimumUpdatePeriod=\"PT2S\" timeShiftBufferDepth=\"PT6S\"", TWO_SECONDS), "https://a/b.mpd");
    for (elapsed, expected) in [
        (-120_000, 1..1),
        (0, 1..1),
        (1999, 1..1),
        (2000, 1..2),
        (3999, 1..2),
        (6000, 1..4),
        (7999, 1..4),
        (8000, 2..5),
        // Two years later.
        (63_072_000_000, 31_535_998..31_536_001),
    ] {
        assert_eq!(window(&live, elapsed), expected, "{elapsed} ms");
    }
}

#[test]
fn the_edge_follows_a_start_that_moves() {
    let text = mpd("minimumUpdatePeriod=\"PT2S\"", TWO_SECONDS);
    let before = read(&text, "https://a/b.mpd");
    let later = text.replace("12:00:00Z", "12:00:10Z");
    let after = read_manifest(later.as_bytes(), "https://a/b.mpd", Some(&before)).unwrap().value.presentation;
    assert_eq!((window(&before, 60_000), window(&after, 60_000)), (1..31, 1..26));
    assert_eq!(after.live.unwrap().availability_start, START + 10 * SECOND);
}

#[test]
fn a_segment_is_found_again_by_its_time() {
    let timeline = |first: u64| {
        let entries = format!("<SegmentTimeline><S t=\"{first}\" d=\"2000\" r=\"2\"/></SegmentTimeline>");
        mpd(
            "minimumUpdatePeriod=\"PT2S\"",
            &format!("<SegmentTemplate timescale=\"1000\" media=\"$Time$.m4s\">{entries}</SegmentTemplate>"),
        )
    };
    let (before, after) = (read(&timeline(10_000), "https://a/b.mpd"), read(&timeline(14_000), "https://a/b.mpd"));
    let known = list(&before).segment(3).unwrap();
    let again = list(&after).number_at(known.start).and_then(|number| list(&after).segment(number)).unwrap();
    assert_eq!((known.start, known.duration), (again.start, again.duration));
    assert_eq!(list(&after).resource(again.number, 0).unwrap().url, "https://a/14000.m4s");
    // The second has two segments more.
    let end = |presentation| list(presentation).end(START + 60 * SECOND);
    assert_eq!((end(&before), end(&after)), (16 * SECOND, 20 * SECOND));
}

#[test]
fn a_static_manifest_ends_a_live_one() {
    let live = mpd("minimumUpdatePeriod=\"PT2S\"", TWO_SECONDS);
    let recorded = live.replace("type=\"dynamic\"", "mediaPresentationDuration=\"PT7S\"");
    let (live, recorded) = (read(&live, "https://a/b.mpd"), read(&recorded, "https://a/b.mpd"));
    assert!(live.live.is_some() && !list(&live).schedule().ended);
    assert!(recorded.live.is_none() && list(&recorded).schedule().ended);
    assert_eq!((window(&recorded, -120_000), list(&recorded).end(0)), (1..5, 7 * SECOND));
    assert_eq!(list(&recorded).segment(4).unwrap().duration, SECOND);
}

#[test]
fn the_rung_that_is_listed_first_is_known() {
    let second = "<Representation id=\"w\" bandwidth=\"3\"/><Representation id=\"x\" bandwidth=\"2\"/>";
    for (first, listed_first) in [(1, 0), (4, 2), (2, 0), (3, 1)] {
        let text = mpd("", &format!("{TWO_SECONDS}<Representation id=\"u\" bandwidth=\"{first}\"/>{second}"));
        let track = &read(&text.replace("<Representation id=\"v\" bandwidth=\"1\"/>", ""), "https://a/b.mpd").tracks[0];
        assert_eq!(track.listed_first, listed_first, "{first}");
    }
}

#[test]
fn updates_and_references_are_as_the_manifest_says() {
    let refreshed = "https://edge.site/x/b.mpd?c";
    for (attributes, update) in
        [("", None), ("minimumUpdatePeriod=\"PT0S\"", Some(0)), ("minimumUpdatePeriod=\"PT1.5S\"", Some(1_500_000))]
    {
        assert_eq!(read(&mpd(attributes, TWO_SECONDS), refreshed).live.as_ref().unwrap().update, update);
    }
    let clocks = "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"../time\"/>\
                  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\" value=\"2026-11-30T12:00:00.5Z\"/>";
    let text = mpd("", TWO_SECONDS).replace("<Period", &format!("<Location>../y/d.mpd</Location>{clocks}<Period"));
    let live = read(&text, refreshed);
    assert_eq!(live.live.as_ref().unwrap().location.as_deref(), Some("https://edge.site/y/d.mpd"));
    assert_eq!(
        live.clocks,
        [ClockSource::Body("https://edge.site/time".into()), ClockSource::Direct(START + SECOND / 2)]
    );
    // Segments stay where the manifest came from.
    assert_eq!(list(&live).resource(1, 0).unwrap().url, "https://edge.site/x/1.m4s");
    assert_eq!(read_instant(" 2026-11-30T12:00:00Z\n"), Some(START));
}

/// Returns an index of segments of 2 s at 1,000 ticks a second, of 100 bytes each.
fn sidx(count: u16) -> Vec<u8> {
    let mut words = vec![0, 1, 1000, 0, 0, u32::from(count)];
    words.extend((0..count).flat_map(|_| [100, 2000, 0x9000_0000]));
    let length = u32::try_from(8 + words.len() * 4).unwrap();
    let content = words.iter().flat_map(|word| word.to_be_bytes());
    length.to_be_bytes().into_iter().chain(*b"sidx").chain(content).collect()
}

#[test]
fn indexes_of_several_periods_become_one_playlist() {
    let file = |name: &str, duration: u32| {
        format!(
            "<Period duration=\"PT{duration}S\"><AdaptationSet mimeType=\"video/mp4\"><Representation bandwidth=\"1\">\
             <BaseURL>{name}</BaseURL><SegmentBase indexRange=\"500-567\"/></Representation></AdaptationSet></Period>"
        )
    };
    let text = format!("<MPD>{}{}</MPD>", file("1.mp4", 5), file("2.mp4", 4));
    let presentation = read(&text, "https://a/b.mpd");
    let Source::Parts(parts) = &presentation.tracks[0].rungs[0].source else { panic!("two files") };
    let lists: Vec<Playlist> = parts
        .iter()
        .map(|part| {
            let Source::Indexed(indexed) = part else { panic!("a file") };
            read_index(&sidx(3), indexed.index.unwrap().start, indexed).unwrap()
        })
        .collect();
    let list = Playlist::join(&lists);
    let segments = list.numbers().map(|number| {
        let (segment, resource) = (list.segment(number).unwrap(), list.resource(number, 0).unwrap());
        let (start, range) = (segment.start / SECOND, resource.range.unwrap());
        let init = list.init(segment.init.unwrap(), 0).unwrap();
        assert_eq!((&init.url, init.range.unwrap().length), (&resource.url, 500));
        format!("{start}+{} {} {}", segment.duration / SECOND, resource.url, range.start)
    });
    assert_eq!(
        segments.collect::<Vec<_>>(),
        [
            "0+2 https://a/1.mp4 568",
            "2+2 https://a/1.mp4 668",
            "4+1 https://a/1.mp4 768",
            "5+2 https://a/2.mp4 568",
            "7+2 https://a/2.mp4 668",
        ]
    );
    assert_eq!([0, 3].map(|number| list.segment(number).unwrap().discontinuity), [0, 1]);
}
