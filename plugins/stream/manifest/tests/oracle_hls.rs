//! Playlists that keep to the format, read by `m3u8-rs` and by our reader: both must find the same segments. It is no
//! oracle for what deviates from the format, nor for low latency, which it does not know.

use std::fmt::Write as _;

use m3u8_rs::Playlist as Theirs;
use proptest::prelude::*;
use viewer_core::{Micros, SECOND, Source, resolve};
use viewer_manifest::{PlaylistContext, read_manifest, read_playlist};

const URL: &str = "https://site/a/b/list.m3u8";

/// A segment that is written.
#[derive(Debug, Clone)]
struct Written {
    millis: u32,
    name: String,
    range: Option<(u32, Option<u32>)>,
    has_discontinuity: bool,
    map: Option<u8>,
    /// `Some(None)` ends encryption.
    key: Option<Option<u8>>,
    date: Option<u32>,
}

fn written() -> impl Strategy<Value = Written> {
    let rarely = |chance| prop::bool::weighted(chance);
    let range = prop::option::of((1..100_000_u32, prop::option::of(0..1_000_000_u32)));
    let first = (1..12_000_u32, "[a-z0-9/_-]{1,8}\\.(ts|m4s)", range, rarely(0.1));
    let map = prop::option::weighted(0.2, 0..3_u8);
    let key = prop::option::weighted(0.2, prop::option::of(0..3_u8));
    let date = prop::option::weighted(0.3, 0..2_000_000_u32);
    (first, map, key, date).prop_map(|((millis, name, range, has_discontinuity), map, key, date)| Written {
        millis,
        name,
        range,
        has_discontinuity,
        map,
        key,
        date,
    })
}

/// Writes a media playlist.
fn media(segments: &[Written], sequence: u32, discontinuity: u32, ended: bool) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:12\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:{discontinuity}\n"
    );
    for segment in segments {
        if segment.has_discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if let Some(map) = segment.map {
            writeln!(text, "#EXT-X-MAP:URI=\"map-{map}.mp4\",BYTERANGE=\"100@{map}\"").unwrap();
        }
        match segment.key {
            Some(Some(key)) => writeln!(text, "#EXT-X-KEY:METHOD=AES-128,URI=\"key-{key}\"").unwrap(),
            Some(None) => text.push_str("#EXT-X-KEY:METHOD=NONE\n"),
            None => {}
        }
        if let Some(date) = segment.date {
            writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:1970-01-{:02}T00:00:00.{:03}Z", 1 + date % 28, date % 1000)
                .unwrap();
        }
        writeln!(text, "#EXTINF:{}.{:03},a title", segment.millis / 1000, segment.millis % 1000).unwrap();
        match segment.range {
            Some((length, Some(start))) => writeln!(text, "#EXT-X-BYTERANGE:{length}@{start}").unwrap(),
            Some((length, None)) => writeln!(text, "#EXT-X-BYTERANGE:{length}").unwrap(),
            None => {}
        }
        writeln!(text, "{}", segment.name).unwrap();
    }
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

proptest! {
    #[test]
    fn both_readers_find_the_same_segments(
        segments in prop::collection::vec(written(), 1..30),
        sequence in 0..1_000_000_u32,
        discontinuity in 0..1000_u32,
        ended in any::<bool>(),
    ) {
        let text = media(&segments, sequence, discontinuity, ended);
        let Ok((_, Theirs::MediaPlaylist(theirs))) = m3u8_rs::parse_playlist(text.as_bytes()) else {
            panic!("the other reader reads it: {text}");
        };
        let context = PlaylistContext { url: URL, ..PlaylistContext::default() };
        let noted = read_playlist(text.as_bytes(), &context).unwrap();
        let ours = noted.value;
        prop_assert_eq!(&noted.warnings, &[]);
        prop_assert_eq!(ours.numbers(), theirs.media_sequence..theirs.media_sequence + theirs.segments.len() as u64);
        prop_assert_eq!(ours.schedule().ended, theirs.end_list);
        let mut discontinuity = u32::try_from(theirs.discontinuity_sequence).unwrap();
        // They give a key and a map with the segment behind the tag, and no key for `METHOD=NONE`.
        let (mut key, mut map) = (None, None);
        for ((number, their), written) in ours.numbers().zip(&theirs.segments).zip(&segments) {
            let segment = ours.segment(number).unwrap();
            let resource = ours.resource(number, 0).unwrap();
            prop_assert_eq!(&resource.url, &resolve(URL, &their.uri));
            prop_assert!((segment.duration - (f64::from(their.duration) * 1e6) as Micros).abs() < 1000);
            discontinuity += u32::from(their.discontinuity);
            prop_assert_eq!(segment.discontinuity, discontinuity);
            key = if written.key == Some(None) { None } else { their.key.clone().or(key) };
            map = their.map.clone().or(map);
            let our_key = segment.key.and_then(|key| ours.key(key)).map(|key| key.url);
            prop_assert_eq!(our_key, key.as_ref().map(|key| resolve(URL, key.uri.as_deref().unwrap_or_default())));
            let our_map = segment.init.and_then(|init| ours.init(init, 0));
            prop_assert_eq!(our_map.as_ref().map(|it| it.url.clone()), map.as_ref().map(|it| resolve(URL, &it.uri)));
            let range = our_map.and_then(|it| it.range).map(|it| (it.length, it.start));
            let their_range = map.as_ref().and_then(|it| it.byte_range.as_ref()).map(|it| (it.length, it.offset.unwrap()));
            prop_assert_eq!(range, their_range);
            prop_assert_eq!(segment.range.map(|it| it.length), their.byte_range.as_ref().map(|it| it.length));
            if let Some(start) = their.byte_range.as_ref().and_then(|it| it.offset) {
                prop_assert_eq!(segment.range.unwrap().start, start);
            }
            if let Some(date) = their.program_date_time {
                prop_assert_eq!(segment.wall.unwrap(), date.timestamp_micros());
            }
        }
        prop_assert!(ours.end(0) < 12 * SECOND * 30);
    }

    #[test]
    fn both_readers_find_the_same_variants(
        variants in prop::collection::vec((1..9_000_000_u64, 1..2000_u32, "[a-z]{1,6}"), 1..8),
    ) {
        let mut text = "#EXTM3U\n".to_owned();
        for (bandwidth, height, name) in &variants {
            writeln!(text, "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION=16x{height},CODECS=\"avc1.4d401e,mp4a.40.2\"\n{name}/{bandwidth}").unwrap();
        }
        let Ok((_, Theirs::MasterPlaylist(theirs))) = m3u8_rs::parse_playlist(text.as_bytes()) else {
            panic!("the other reader reads it: {text}");
        };
        let ours = read_manifest(text.as_bytes(), URL, None).unwrap().value.presentation;
        let urls = |rung: &viewer_core::Rung| {
            let sources = std::iter::once(&rung.source).chain(&rung.backups);
            sources.map(|source| match source {
                Source::Remote { url, .. } => (rung.bandwidth, rung.height, url.to_string()),
                other => panic!("a variant has a URL: {other:?}"),
            }).collect::<Vec<_>>()
        };
        let mut our_variants: Vec<_> = ours.tracks[0].rungs.iter().flat_map(urls).collect();
        let their_variants = theirs.variants.iter().map(|it| {
            (it.bandwidth, it.resolution.map(|size| u32::try_from(size.height).unwrap()), resolve(URL, &it.uri))
        });
        let mut their_variants: Vec<_> = their_variants.collect();
        our_variants.sort();
        their_variants.sort();
        their_variants.dedup();
        prop_assert_eq!(our_variants, their_variants);
    }
}
