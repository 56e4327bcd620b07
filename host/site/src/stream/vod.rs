//! Movies in HLS (RFC 8216): playlists that are complete, of segments or of byte ranges of one file, in clear or as if
//! they were encrypted.

use std::fmt::Write;

use bytes::Bytes;
use hyper::StatusCode;

use super::choices::{Container, Layout};
use super::hls;
use super::micros::Seconds;
use super::recording::Recording;
use super::refusal::Refusal;
use super::request::StreamRequest;
use super::spec::StreamSpec;
use super::whole_file::FileSections;
use crate::body::BodySource;
use crate::hash::mix_bits;
use crate::page_outcome::{PageReply, with_media_type};

/// Serves a media playlist.
///
/// # Errors
/// The track does not exist, or the options exclude each other.
pub(crate) fn media(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let recording = Recording::of(request)?;
    let spec = &request.spec;
    if spec.layout == Layout::File && (spec.container == Container::TransportStream || spec.keys.is_some()) {
        return Err(Refusal::bad_request("`layout=file` is for `container=fmp4` without keys"));
    }
    Ok(hls::playlist(request, media_text(spec, &recording)))
}

/// Serves a key: 16 bytes that are always the same.
///
/// # Errors
/// The movie has no such key.
pub(crate) fn key(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let number = request.file.parse().ok().filter(|_| request.spec.keys.is_some());
    let number: u64 = number.ok_or(Refusal::not_found("no such key"))?;
    let key = [mix_bits(number), mix_bits(!number)].map(u64::to_be_bytes).concat();
    Ok(with_media_type(StatusCode::OK, "application/octet-stream", BodySource::whole(Bytes::from(key))))
}

fn media_text(spec: &StreamSpec, recording: &Recording) -> String {
    let track = &recording.track;
    let mut text = hls::media_head(track, 6);
    text.push_str("#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n");
    match spec.layout {
        Layout::File => add_ranges(&mut text, recording),
        Layout::Segments => {
            hls::add_map(&mut text, track);
            for number in recording.numbers() {
                hls::add_discontinuity(&mut text, spec, track, number);
                add_key(&mut text, spec, number);
                hls::add_segment(&mut text, spec, track, number, number);
            }
        }
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// Adds the key from a segment on, if it is a new one. It follows the initialization section, which is in clear.
fn add_key(text: &mut String, spec: &StreamSpec, number: u64) {
    // One key for all segments is the first of keys that never change.
    let key = spec.keys.map(|segments| (number.checked_div(segments).unwrap_or_default(), segments));
    if let Some((key, segments)) = key
        && number.checked_rem(segments).unwrap_or(number) == 0
    {
        let _ = writeln!(text, "#EXT-X-KEY:METHOD=AES-128,URI=\"../key/{key}\"");
    }
}

/// Adds the segments as ranges of the file. Each but the first begins where the one before it ends.
fn add_ranges(text: &mut String, recording: &Recording) {
    let FileSections { init, index, .. } = FileSections::of(recording);
    let _ = writeln!(text, "#EXT-X-MAP:URI=\"whole.mp4\",BYTERANGE=\"{}@{}\"", init.end, init.start);
    for number in recording.numbers() {
        let segment = recording.track.segment(number);
        let _ = write!(text, "#EXTINF:{},\n#EXT-X-BYTERANGE:{}", Seconds(segment.duration), segment.bytes);
        if number == 0 {
            let _ = write!(text, "@{}", index.end);
        }
        text.push_str("\nwhole.mp4\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::filler_track::FillerTrack;
    use crate::stream::track::Track;

    fn text(options: &str) -> String {
        let spec = StreamSpec::parse(&format!("a,length=14s{options}"), None).unwrap();
        media_text(&spec, &Recording::new(Track::Filler(FillerTrack::find(&spec, "800k").unwrap()), &spec))
    }

    #[test]
    fn a_playlist_lists_all_segments_and_ends() {
        let expected = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n\
            #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4.000,\n0.m4s\n#EXTINF:4.000,\n1.m4s\n\
            #EXTINF:4.000,\n2.m4s\n#EXTINF:4.000,\n3.m4s\n#EXT-X-ENDLIST\n";
        assert_eq!(text(""), expected);
    }

    #[test]
    fn ranges_follow_each_other() {
        let text = text(",layout=file");
        assert!(text.contains("#EXT-X-MAP:URI=\"whole.mp4\",BYTERANGE=\"800@0\"\n"));
        // The index has 40 bytes, and 12 for each segment.
        assert!(text.contains("#EXTINF:4.000,\n#EXT-X-BYTERANGE:400000@888\nwhole.mp4\n"));
        assert_eq!(text.matches("#EXT-X-BYTERANGE:400000\nwhole.mp4\n").count(), 3);
    }

    #[test]
    fn a_key_stands_before_the_first_segment_that_needs_it() {
        let keys = |options: &str| {
            let text = text(options);
            let keys = text.match_indices("../key/").map(|(at, _)| text[at..].split('"').next().unwrap().to_owned());
            keys.collect::<Vec<_>>()
        };
        assert_eq!(keys(",keys=0"), ["../key/0"]);
        assert_eq!(keys(",keys=2"), ["../key/0", "../key/1"]);
        assert_eq!(keys(",keys=1").len(), 4);
        assert!(text(",keys=2").contains("1.m4s\n#EXT-X-KEY:METHOD=AES-128,URI=\"../key/1\"\n#EXTINF:4.000,\n2.m4s\n"));
        assert!(!text("").contains("EXT-X-KEY"));
    }
}
