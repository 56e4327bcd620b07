//! HTTP Live Streaming (RFC 8216): a master playlist per movie, a media playlist per rendition, segments in MPEG-TS.
//! URIs in playlists are absolute paths, so that a script can use a captured one unchanged.

use std::fmt::Write;

use hyper::StatusCode;

use super::body::{BodySource, Filler, LengthPolicy};
use super::page_outcome::{PageOutcome, error_reply, with_media_type};
use super::page_request::PageRequest;
use super::transport_stream::{NULL_PACKETS, PACKET_BYTES, PROGRAM_TABLES};

const PLAYLIST: &str = "application/vnd.apple.mpegurl";
const SECONDS_PER_SEGMENT: u64 = 4;
const SEGMENT_COUNT: u64 = 30;

/// One quality of a movie.
struct Rendition {
    name: &'static str,
    /// Bits per second, never exceeded by a segment.
    bandwidth: u64,
    resolution: &'static str,
    codecs: &'static str,
}

const RENDITIONS: [Rendition; 3] = [
    Rendition { name: "360p", bandwidth: 800_000, resolution: "640x360", codecs: "avc1.4d401e,mp4a.40.2" },
    Rendition { name: "720p", bandwidth: 2_800_000, resolution: "1280x720", codecs: "avc1.4d401f,mp4a.40.2" },
    Rendition { name: "1080p", bandwidth: 5_000_000, resolution: "1920x1080", codecs: "avc1.640028,mp4a.40.2" },
];

impl Rendition {
    fn find(name: &str) -> Option<&'static Self> {
        RENDITIONS.iter().find(|rendition| rendition.name == name)
    }

    /// Whole packets in one segment: 400, 1400 and 2500 KB.
    const fn packets_per_segment(&self) -> u64 {
        self.bandwidth / 8 * SECONDS_PER_SEGMENT / PACKET_BYTES as u64
    }
}

/// Serves `/hls/{movie}/master.m3u8`.
pub(crate) fn master(ask: &PageRequest<'_>) -> PageOutcome {
    let movie = ask.path_rest().split('/').next().unwrap_or_default();
    with_media_type(StatusCode::OK, PLAYLIST, BodySource::whole(master_playlist(movie))).into()
}

/// Serves `/hls/{movie}/{rendition}/media.m3u8`.
pub(crate) fn media(ask: &PageRequest<'_>) -> PageOutcome {
    let (folder, rendition, _) = split_path(ask.path_rest());
    if Rendition::find(rendition).is_none() {
        return not_found("no such rendition");
    }
    with_media_type(StatusCode::OK, PLAYLIST, BodySource::whole(media_playlist(folder))).into()
}

/// Serves `/hls/{movie}/{rendition}/{segment}.ts`.
pub(crate) fn segment(ask: &PageRequest<'_>) -> PageOutcome {
    let (_, rendition, file) = split_path(ask.path_rest());
    let number = file.strip_suffix(".ts").and_then(|number| number.parse::<u64>().ok());
    match (Rendition::find(rendition), number) {
        (Some(rendition), Some(number)) if number < SEGMENT_COUNT => {
            with_media_type(StatusCode::OK, "video/mp2t", transport_stream(rendition)).into()
        }
        _ => not_found("no such segment"),
    }
}

/// Splits `mv-1/360p/7.ts` into `mv-1/360p`, `360p` and `7.ts`.
fn split_path(rest: &str) -> (&str, &str, &str) {
    let (folder, file) = rest.rsplit_once('/').unwrap_or_default();
    (folder, folder.rsplit('/').next().unwrap_or_default(), file)
}

fn not_found(why: &str) -> PageOutcome {
    error_reply(StatusCode::NOT_FOUND, why).into()
}

/// Returns the master playlist, with the lowest quality first, where a player starts.
fn master_playlist(movie: &str) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:3\n");
    for Rendition { name, bandwidth, resolution, codecs } in &RENDITIONS {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION={resolution},CODECS=\"{codecs}\"\n\
             /hls/{movie}/{name}/media.m3u8\n"
        );
    }
    text
}

fn media_playlist(folder: &str) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{SECONDS_PER_SEGMENT}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n"
    );
    for number in 0..SEGMENT_COUNT {
        // Writing to a string cannot fail.
        let _ = write!(text, "#EXTINF:{SECONDS_PER_SEGMENT}.000,\n/hls/{folder}/{number}.ts\n");
    }
    text + "#EXT-X-ENDLIST\n"
}

fn transport_stream(rendition: &Rendition) -> BodySource {
    let tables = (PROGRAM_TABLES.len() / PACKET_BYTES) as u64;
    BodySource::Filler(Filler {
        head: bytes::Bytes::from_static(PROGRAM_TABLES),
        pattern: NULL_PACKETS,
        remaining: (rendition.packets_per_segment() - tables) * PACKET_BYTES as u64,
        length_policy: LengthPolicy::Announced,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_playlist_names_every_rendition_after_its_attributes() {
        let text = master_playlist("mv-1");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["#EXTM3U", "#EXT-X-VERSION:3"]);
        assert_eq!(
            lines[2..4],
            [
                "#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS=\"avc1.4d401e,mp4a.40.2\"",
                "/hls/mv-1/360p/media.m3u8"
            ]
        );
        assert_eq!(lines.len(), 2 + 2 * RENDITIONS.len());
    }

    #[test]
    fn a_media_playlist_lists_all_segments_within_the_target_duration() {
        let text = media_playlist("mv-1/360p");
        assert!(text.starts_with("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"));
        assert!(text.ends_with("#EXTINF:4.000,\n/hls/mv-1/360p/29.ts\n#EXT-X-ENDLIST\n"));
        assert_eq!(text.matches("#EXTINF:4.000,\n").count(), 30);
    }

    #[test]
    fn no_segment_exceeds_the_bandwidth_of_its_rendition() {
        for rendition in &RENDITIONS {
            let bits = rendition.packets_per_segment() * PACKET_BYTES as u64 * 8;
            assert!(bits <= rendition.bandwidth * SECONDS_PER_SEGMENT, "{}", rendition.name);
            assert!(bits > rendition.bandwidth * SECONDS_PER_SEGMENT * 99 / 100, "{}", rendition.name);
        }
    }
}
