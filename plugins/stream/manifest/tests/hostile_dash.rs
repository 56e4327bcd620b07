//! MPDs that are broken in every way: the reader returns an error or a presentation whose every answer is sound, never
//! panics, and takes time and memory in proportion to the text.

mod questions;

use std::fs;
use std::path::Path;
use std::rc::Rc;

use proptest::prelude::*;
use viewer_core::{Playlist, Presentation, Source};
use viewer_manifest::read_manifest;

use questions::ask;

const URL: &str = "https://site/a/live.mpd?token=1";

/// Whole numbers that are likely to break arithmetic.
const NUMBERS: &[&str] = &["0", "1", "2", "1000", "90000", "4294967296", "9223372036854775807", "17960831920000000"];

const DURATIONS: &[&str] = &["PT0S", "PT4S", "PT2.5S", "PT20S", "PT1796083200S", "P9999Y", "PT9223372036854S"];

const DATES: &[&str] = &["1970-01-01T00:00:00Z", "2026-11-30T12:00:00Z", "9999-12-31T23:59:60-14:00"];

const RANGES: &[&str] = &["0-99", "100-100", "5-", "0-18446744073709551615"];

const REFERENCES: &[&str] = &["$Number%05d$-$Time$.m4s", "$RepresentationID$$$$", "a_14:49.m4s", "//x?y", "\u{e9}"];

const SECONDS: &[&str] = &["0.5", "-1", "INF", "1e11"];

/// Attributes of any element, with values of their types.
const ATTRIBUTES: [(&str, &[&str]); 25] = [
    ("type", &["static", "dynamic"]),
    ("mediaPresentationDuration", DURATIONS),
    ("availabilityStartTime", DATES),
    ("minimumUpdatePeriod", DURATIONS),
    ("timeShiftBufferDepth", DURATIONS),
    ("maxSegmentDuration", DURATIONS),
    ("start", DURATIONS),
    ("id", REFERENCES),
    ("bandwidth", NUMBERS),
    ("timescale", NUMBERS),
    ("presentationTimeOffset", NUMBERS),
    ("startNumber", NUMBERS),
    ("endNumber", NUMBERS),
    ("availabilityTimeOffset", SECONDS),
    ("availabilityTimeComplete", &["false", "1"]),
    ("media", REFERENCES),
    ("mediaRange", RANGES),
    ("initialization", REFERENCES),
    ("indexRange", RANGES),
    ("sourceURL", REFERENCES),
    ("range", RANGES),
    ("contentType", &["video", "text"]),
    ("lang", &["en", "de"]),
    ("codecs", &["avc1.1", "stpp"]),
    ("value", REFERENCES),
];

/// Attributes; `duration` is that of an element with this type of durations.
fn attributes(duration: &'static [&'static str]) -> impl Strategy<Value = String> {
    let typed = (prop::sample::select(ATTRIBUTES.to_vec()), any::<prop::sample::Index>())
        .prop_map(|((name, values), index)| format!(" {name}=\"{}\"", index.get(values)));
    let any = (prop::sample::select(ATTRIBUTES.to_vec()), "[^<\"&]{0,5}")
        .prop_map(|((name, _), value)| format!(" {name}=\"{value}\""));
    let duration = prop::sample::select(duration).prop_map(|value| format!(" duration=\"{value}\""));
    let attribute = prop_oneof![40 => typed, 1 => any, 10 => duration];
    prop::collection::vec(attribute, 0..4).prop_map(|attributes| attributes.concat())
}

/// Attributes that numbers fit, so that more than an error comes out of it.
fn entry() -> impl Strategy<Value = String> {
    let number =
        || prop::option::of(prop_oneof![9 => 0..30_i64, 1 => any::<i64>().prop_map(|number| number.saturating_abs())]);
    (number(), number(), prop::option::of(-2..1000_i64)).prop_map(|(time, duration, repeat)| {
        let written = |name: &str, value: Option<i64>| value.map_or(String::new(), |it| format!(" {name}=\"{it}\""));
        format!("<S{}{}{}/>", written("t", time), written("d", duration), written("r", repeat))
    })
}

fn timeline() -> impl Strategy<Value = String> {
    prop::collection::vec(entry(), 0..6)
        .prop_map(|entries| format!("<SegmentTimeline>{}</SegmentTimeline>", entries.concat()))
}

fn template() -> impl Strategy<Value = String> {
    (attributes(NUMBERS), prop::option::of(timeline()), any::<u8>()).prop_map(|(attributes, timeline, scale)| {
        let media = "media=\"$Number$-$Time$\"";
        let timeline = timeline.unwrap_or_default();
        format!("<SegmentTemplate {media} timescale=\"{scale}\"{attributes}>{timeline}</SegmentTemplate>")
    })
}

fn addressing() -> impl Strategy<Value = String> {
    let list =
        (attributes(NUMBERS), attributes(NUMBERS), prop::option::of(timeline())).prop_map(|(list, url, timeline)| {
            let url = format!("<SegmentURL{url}/>");
            format!("<SegmentList{list}>{}{}</SegmentList>", url.repeat(5), timeline.unwrap_or_default())
        });
    let base = attributes(NUMBERS)
        .prop_map(|base| format!("<SegmentBase{base}><Initialization range=\"0-9\"/></SegmentBase>"));
    prop_oneof![2 => template(), 1 => list, 1 => base, 1 => Just(String::new())]
}

fn set() -> impl Strategy<Value = String> {
    let representation = (attributes(NUMBERS), addressing())
        .prop_map(|(attributes, addressing)| format!("<Representation{attributes}>{addressing}</Representation>"));
    let kind = prop::sample::select(vec!["video/mp4", "audio/mp4", "text/vtt", "image/png"]);
    (kind, attributes(NUMBERS), addressing(), prop::collection::vec(representation, 1..4)).prop_map(
        |(kind, attributes, addressing, representations)| {
            let representations = representations.concat();
            format!("<AdaptationSet mimeType=\"{kind}\"{attributes}>{addressing}{representations}</AdaptationSet>")
        },
    )
}

fn manifest() -> impl Strategy<Value = String> {
    let period = (attributes(DURATIONS), addressing(), prop::collection::vec(set(), 1..4)).prop_map(
        |(attributes, addressing, sets)| format!("<Period{attributes}>{addressing}{}</Period>", sets.concat()),
    );
    let head = prop::sample::select(vec!["", " type=\"dynamic\" minimumUpdatePeriod=\"PT2S\""]);
    (head, attributes(DURATIONS), prop::collection::vec(period, 1..4))
        .prop_map(|(head, attributes, periods)| format!("<MPD{head}{attributes}>{}</MPD>", periods.concat()))
}

fn ask_all(presentation: &Presentation) {
    assert!(!presentation.tracks.is_empty());
    for track in &presentation.tracks {
        assert!(track.listed_first < track.rungs.len());
        assert!(track.rungs.is_sorted_by_key(|rung| rung.bandwidth));
        for rung in &track.rungs {
            ask_source(&rung.source);
        }
    }
}

fn ask_source(source: &Source) {
    match source {
        Source::Listed(list) => {
            ask(list);
            ask(&Playlist::join([&**list, &**list]));
        }
        Source::Indexed(indexed) => assert!(!indexed.urls.is_empty()),
        Source::Parts(parts) => {
            assert!(parts.len() > 1);
            parts.iter().for_each(ask_source);
        }
        Source::Remote { .. } | Source::InVariant => panic!("a source of HLS"),
    }
}

fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dash");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|it| it == "mpd")).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn manifests_of_broken_attributes_are_read(text in manifest()) {
        if let Ok(noted) = read_manifest(text.as_bytes(), URL, None) {
            ask_all(&noted.value.presentation);
            let before = Rc::new(noted.value.presentation.clone());
            let again = read_manifest(text.as_bytes(), URL, Some(&before)).unwrap();
            prop_assert_eq!(&again.value.presentation, &noted.value.presentation);
        }
    }

    #[test]
    fn damaged_manifests_are_read(
        file in prop::sample::select(fixtures()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, ".{0,3}"), 1..4),
    ) {
        let mut characters: Vec<char> = file.chars().collect();
        for (at, removed, inserted) in edits {
            let at = at.index(characters.len());
            let end = (at + removed).min(characters.len() - 1);
            characters.splice(at.min(end)..end, inserted.chars());
        }
        let text: String = characters.into_iter().collect();
        if let Ok(noted) = read_manifest(text.as_bytes(), URL, None) {
            ask_all(&noted.value.presentation);
        }
    }
}

/// Returns a manifest with this many periods, sets, representations and entries of a timeline.
fn large(periods: usize, sets: usize, representations: usize, entries: usize) -> String {
    let entries: String = (0..entries).map(|entry| format!("<S d=\"{}\"/>", 1 + entry % 2)).collect();
    let representations = "<Representation id=\"r\" bandwidth=\"1\"/>".repeat(representations);
    let template =
        format!("<SegmentTemplate media=\"$Time$\"><SegmentTimeline>{entries}</SegmentTimeline></SegmentTemplate>");
    let sets =
        format!("<AdaptationSet mimeType=\"video/mp4\">{template}{representations}</AdaptationSet>").repeat(sets);
    format!("<MPD>{}</MPD>", format!("<Period duration=\"PT9S\">{sets}</Period>").repeat(periods))
}

/// Returns the bytes that the playlists of a manifest take, with shared timelines counted each time.
fn size(text: &str) -> usize {
    let presentation = read_manifest(text.as_bytes(), URL, None).unwrap().value.presentation;
    presentation
        .tracks
        .iter()
        .flat_map(|track| &track.rungs)
        .map(|rung| if let Source::Listed(list) = &rung.source { list.memory() } else { 0 })
        .sum()
}

#[test]
fn large_manifests_are_read() {
    for (periods, sets, representations, entries) in
        [(1, 1, 10_000, 1), (1, 1, 1, 100_000), (5000, 1, 1, 1), (1, 250, 10, 10), (100, 100, 1, 1), (1, 1, 1000, 1000)]
    {
        assert!(size(&large(periods, sets, representations, entries)) > 0);
    }
}

#[test]
fn what_would_grow_beyond_measure_is_refused() {
    let long = "x".repeat(8000);
    let representations = "<Representation id=\"r\" bandwidth=\"1\"/>".repeat(20_000);
    let inherited = format!(
        "<MPD mediaPresentationDuration=\"PT4S\"><Period><AdaptationSet mimeType=\"video/mp4\">\
         <SegmentTemplate duration=\"1\" media=\"{long}\"/>{representations}</AdaptationSet></Period></MPD>"
    );
    let few = "<Representation id=\"r\" bandwidth=\"1\"/>".repeat(200);
    let filled = inherited
        .replace(&representations, &few)
        .replace(&long, &"$RepresentationID$".repeat(400))
        .replace("\"r\"", &format!("\"{long}\""));
    let urls = "<SegmentURL media=\"a\"/>".repeat(50_000);
    let list = inherited
        .replace(
            &format!("<SegmentTemplate duration=\"1\" media=\"{long}\"/>"),
            &format!("<SegmentList duration=\"1\">{urls}</SegmentList>"),
        )
        .replace("PT4S", "PT100000S");
    for (case, text, error) in [
        ("inherited", inherited.as_str(), "the manifest grows beyond 16 times its size"),
        ("filled in", &filled, "the manifest grows beyond 16 times its size"),
        ("listed", &list, "the manifest grows beyond 16 times its size"),
        ("looked through", &large(1, 1, 3000, 100_000), "the manifest grows beyond 16 times its size"),
        ("long", &format!("<MPD><BaseURL>{long}{long}</BaseURL></MPD>"), "`BaseURL` is longer than 8 KiB"),
        ("periods", &format!("<MPD>{}</MPD>", "<Period/>".repeat(10_001)), "there are more than 10000 periods"),
        ("sets", &large(1, 257, 1, 1), "the period has more than 256 adaptation sets"),
    ] {
        let read = read_manifest(text.as_bytes(), URL, None).map(|_| ());
        assert_eq!(read.map_err(|error| error.text), Err(error.to_owned()), "{case}");
    }
}

#[test]
fn a_refreshed_manifest_shares_what_has_not_changed() {
    let text = |entries: &str| {
        format!(
            "<MPD type=\"dynamic\" availabilityStartTime=\"2026-11-30T12:00:00Z\" minimumUpdatePeriod=\"PT2S\">\
             <Period start=\"PT0S\"><AdaptationSet mimeType=\"video/mp4\">\
             <SegmentTemplate media=\"$Time$\"><SegmentTimeline>{entries}</SegmentTimeline></SegmentTemplate>\
             <Representation bandwidth=\"1\"/></AdaptationSet><AdaptationSet mimeType=\"audio/mp4\">\
             <SegmentTemplate media=\"$Number$\" duration=\"2\"/><Representation bandwidth=\"1\"/></AdaptationSet>\
             </Period></MPD>"
        )
    };
    let read = |entries: &str, previous: Option<&Rc<Presentation>>| {
        Rc::new(read_manifest(text(entries).as_bytes(), URL, previous).unwrap().value.presentation)
    };
    let list = |presentation: &Presentation, track: usize| match &presentation.tracks[track].rungs[0].source {
        Source::Listed(list) => Rc::clone(list),
        _ => panic!("listed"),
    };
    let first = read("<S d=\"2\"/>", None);
    let second = read("<S d=\"2\" r=\"1\"/>", Some(&first));
    assert!(!Rc::ptr_eq(&list(&first, 0), &list(&second, 0)));
    assert!(Rc::ptr_eq(&list(&first, 1), &list(&second, 1)));
    let third = read("<S d=\"2\" r=\"1\"/>", Some(&second));
    assert!(Rc::ptr_eq(&list(&second, 0), &list(&third, 0)));
}
