//! Manifests that are broken in every way: a reader returns an error or a playlist whose every answer is sound, and
//! never panics.

mod questions;

use proptest::prelude::*;
use viewer_core::{Presentation, Source};
use viewer_manifest::{PlaylistContext, read_manifest, read_playlist};

use questions::ask;

/// Lines that mean something to the reader of HLS, with a number or a text where `{}` stands.
const LINES: [&str; 28] = [
    "#EXTM3U",
    "#EXTINF:{},title",
    "#EXTINF:4,",
    "{}",
    "segment.ts",
    "#EXT-X-TARGETDURATION:{}",
    "#EXT-X-MEDIA-SEQUENCE:{}",
    "#EXT-X-DISCONTINUITY-SEQUENCE:{}",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-BYTERANGE:{}",
    "#EXT-X-BYTERANGE:{}@{}",
    "#EXT-X-MAP:URI=\"{}\",BYTERANGE=\"{}@{}\"",
    "#EXT-X-KEY:METHOD=AES-128,URI=\"{}\"",
    "#EXT-X-KEY:METHOD=NONE",
    "#EXT-X-GAP",
    "#EXT-X-PROGRAM-DATE-TIME:{}-{}-01T00:00:{}Z",
    "#EXT-X-PART:DURATION={},URI=\"{}\",BYTERANGE=\"{}\"",
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}\",BYTERANGE-START={},BYTERANGE-LENGTH={}",
    "#EXT-X-RENDITION-REPORT:URI=\"{}\",LAST-MSN={}",
    "#EXT-X-SKIP:SKIPPED-SEGMENTS={}",
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK={},CAN-SKIP-UNTIL={}",
    "#EXT-X-DEFINE:NAME=\"{}\",VALUE=\"{}\"",
    "#EXT-X-DEFINE:QUERYPARAM=\"{}\"",
    "{$a}/{}",
    "#EXT-X-STREAM-INF:BANDWIDTH={},RESOLUTION={}x{},AUDIO=\"{}\"",
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME=\"{}\",URI=\"{}\"",
    "#EXT-X-ENDLIST",
    "#EXT-X-START:TIME-OFFSET={}",
];

/// Values that are likely to break arithmetic and slices.
fn value() -> impl Strategy<Value = String> {
    let numbers = prop::sample::select(vec![
        "0",
        "1",
        "-1",
        "2.5",
        "1e300",
        "NaN",
        "65536",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "é\u{2028}=,\"",
        "",
        "a",
    ]);
    prop_oneof![numbers.prop_map(str::to_owned), any::<i64>().prop_map(|number| number.to_string()), ".{0,6}"]
}

fn line() -> impl Strategy<Value = String> {
    (prop::sample::select(LINES.to_vec()), prop::collection::vec(value(), 3))
        .prop_map(|(line, values)| values.iter().fold(line.to_owned(), |line, value| line.replacen("{}", value, 1)))
}

fn playlist() -> impl Strategy<Value = String> {
    (prop::collection::vec(line(), 0..40), prop::sample::select(vec!["\n", "\r\n", "\r"]))
        .prop_map(|(lines, end)| format!("#EXTM3U{end}{}", lines.join(end)))
}

fn ask_all(presentation: &Presentation) {
    assert!(!presentation.tracks.is_empty());
    for track in &presentation.tracks {
        assert!(!track.rungs.is_empty());
        for rung in &track.rungs {
            if let Source::Listed(list) = &rung.source {
                ask(list);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn playlists_of_broken_lines_are_read(text in playlist(), next in playlist()) {
        let url = "https://site/a.m3u8?a=1&a=2#x";
        if let Ok(noted) = read_manifest(text.as_bytes(), url, None) {
            ask_all(&noted.value.presentation);
            noted.value.entry.iter().for_each(ask);
        }
        let context = PlaylistContext { url, ..PlaylistContext::default() };
        let previous = read_playlist(text.as_bytes(), &context).map(|noted| noted.value).ok();
        let context = PlaylistContext { previous: previous.as_ref(), ..context };
        if let Ok(noted) = read_playlist(next.as_bytes(), &context) {
            ask(&noted.value);
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_manifest(&bytes, "", None);
        let _ = read_playlist(&bytes, &PlaylistContext::default());
    }
}
