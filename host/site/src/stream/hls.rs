//! The parts that all HLS playlists have (RFC 8216): master playlists, and the head of media playlists.

use std::fmt::Write;

use hyper::StatusCode;

use super::choices::{AudioPlace, Container};
use super::manifest;
use super::micros::{Micros, SECOND, Seconds};
use super::refusal::Refusal;
use super::request::StreamRequest;
use super::spec::StreamSpec;
use super::timestamp::IsoTime;
use super::track::Track;
use crate::body::BodySource;
use crate::page_outcome::{PageReply, with_media_type};

/// Media type of playlists.
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// Returns a reply with a playlist.
pub(crate) fn playlist(request: &StreamRequest<'_>, text: String) -> PageReply {
    manifest::reply(request, PLAYLIST, text)
}

/// Serves a master playlist, with the lowest quality first, where a player starts.
pub(crate) fn master(request: &StreamRequest<'_>) -> PageReply {
    playlist(request, master_text(&request.tracks(), request.spec.audio))
}

/// Serves an initialization section.
///
/// # Errors
/// The track does not exist, or its segments need none.
pub(crate) fn init(request: &StreamRequest<'_>) -> Result<PageReply, Refusal> {
    let track = request.track()?;
    match track.container() {
        Container::Fmp4 => Ok(media(&track, track.init_body())),
        Container::TransportStream => Err(Refusal::not_found("transport streams have no initialization section")),
    }
}

/// Returns a reply with media of a track.
pub(crate) fn media(track: &Track, body: BodySource) -> PageReply {
    let media_type = match track.container() {
        Container::TransportStream => "video/mp2t",
        Container::Fmp4 if track.is_audio() => "audio/mp4",
        Container::Fmp4 => "video/mp4",
    };
    with_media_type(StatusCode::OK, media_type, body)
}

/// Returns the target duration: that of the longest segment, rounded to whole seconds.
pub(crate) fn target_duration(track: &Track) -> Micros {
    ((track.longest_segment() + SECOND / 2) / SECOND).max(1) * SECOND
}

/// Returns the first lines of a media playlist: version and target duration.
pub(crate) fn media_head(track: &Track, version: u32) -> String {
    let target = target_duration(track) / SECOND;
    let mut text = String::with_capacity(1 << 11);
    let _ = write!(text, "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n");
    text
}

/// Adds the line that names the initialization section, if there is one.
pub(crate) fn add_map(text: &mut String, track: &Track) {
    if track.container() == Container::Fmp4 {
        text.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
    }
}

/// Adds the number of discontinuities that have left a playlist; one right before its first segment has not.
pub(crate) fn add_discontinuity_sequence(text: &mut String, spec: &StreamSpec, first: u64) {
    if let Some(before) = first.checked_div(spec.discontinuity) {
        let listed = u64::from(begins_discontinuity(spec, first));
        let _ = writeln!(text, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", before - listed);
    }
}

/// Adds the lines of a discontinuity before a segment, after which the initialization section is named again, as
/// packagers do. Returns `true` if there is one.
pub(crate) fn add_discontinuity(text: &mut String, spec: &StreamSpec, track: &Track, number: u64) -> bool {
    let begins = begins_discontinuity(spec, number);
    if begins {
        text.push_str("#EXT-X-DISCONTINUITY\n");
        add_map(text, track);
    }
    begins
}

fn begins_discontinuity(spec: &StreamSpec, number: u64) -> bool {
    number != 0 && number.checked_rem(spec.discontinuity) == Some(0)
}

/// Adds the wall-clock time of a segment.
pub(crate) fn add_date(text: &mut String, spec: &StreamSpec, track: &Track, number: u64) {
    let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{}", IsoTime(spec.start + track.segment(number).start));
}

/// Adds the lines of a segment that is a file, named by a number that may not be its own.
pub(crate) fn add_segment(text: &mut String, spec: &StreamSpec, track: &Track, number: u64, name: u64) {
    let duration = Seconds(track.segment(number).duration);
    let gap = if spec.faults.is_gap(number) { "#EXT-X-GAP\n" } else { "" };
    let _ = write!(text, "#EXTINF:{duration},\n{gap}{name}{}\n", track.container().extension());
}

fn master_text(tracks: &[Track], place: AudioPlace) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let audio = tracks.iter().find(|track| track.is_audio());
    if audio.is_some() || place == AudioPlace::Named {
        let uri = audio.map_or_else(String::new, |audio| format!(",URI=\"{}/media.m3u8\"", audio.name()));
        let _ = writeln!(
            text,
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,\
             CHANNELS=\"2\"{uri}"
        );
    }
    let has_group = audio.is_some() || matches!(place, AudioPlace::Named | AudioPlace::Unlisted);
    let group = if has_group { ",AUDIO=\"audio\"" } else { "" };
    for track in tracks.iter().filter(|track| !track.is_audio()) {
        let bandwidth = track.bandwidth() + audio.map_or(0, Track::bandwidth);
        let _ = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}");
        if let Some(size) = track.frame_size() {
            let _ = write!(text, ",RESOLUTION={}x{}", size.width, size.height);
        }
        let codecs = audio.map_or_else(|| track.codecs(), |audio| format!("{},{}", track.codecs(), audio.codecs()));
        let _ = write!(text, ",CODECS=\"{codecs}\"{group}\n{}/media.m3u8\n", track.name());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::filler_track::FillerTrack;
    use crate::stream::ladder::Ladder;

    fn tracks(spec: &StreamSpec) -> Vec<Track> {
        FillerTrack::all(spec).into_iter().map(Track::Filler).collect()
    }

    #[test]
    fn a_master_playlist_names_every_quality() {
        let spec = StreamSpec { ladder: Ladder::MOBILE, ..StreamSpec::default() };
        let text = master_text(&tracks(&spec), spec.audio);
        let expected = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n\
            #EXT-X-STREAM-INF:BANDWIDTH=200000,RESOLUTION=426x240,CODECS=\"avc1.4d401e,mp4a.40.2\"\n200k/media.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=640x360,CODECS=\"avc1.4d401e,mp4a.40.2\"\n400k/media.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS=\"avc1.4d401e,mp4a.40.2\"\n800k/media.m3u8\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn audio_apart_is_a_group_that_every_quality_names() {
        let spec = StreamSpec { audio: AudioPlace::Apart, ladder: Ladder::MOBILE, ..StreamSpec::default() };
        let text = master_text(&tracks(&spec), spec.audio);
        assert!(
            text.contains("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\"") && text.contains("URI=\"audio/media.m3u8\"")
        );
        assert_eq!(text.matches("CODECS=\"avc1.4d401e,mp4a.40.2\",AUDIO=\"audio\"\n").count(), 3);
        assert!(text.contains("BANDWIDTH=264000,"));
    }

    #[test]
    fn audio_in_the_video_may_be_named_or_lack_its_group() {
        let text = |audio| {
            let spec = StreamSpec { audio, ..StreamSpec::default() };
            master_text(&tracks(&spec), audio)
        };
        let (named, unlisted) = (text(AudioPlace::Named), text(AudioPlace::Unlisted));
        assert!(named.contains("#EXT-X-MEDIA:TYPE=AUDIO,") && named.contains("CHANNELS=\"2\"\n"), "{named}");
        assert!(!unlisted.contains("#EXT-X-MEDIA:"));
        for text in [named, unlisted] {
            assert_eq!(text.matches("CODECS=\"avc1.640028,mp4a.40.2\",AUDIO=\"audio\"\n").count(), 1, "{text}");
            assert!(text.contains("BANDWIDTH=800000,"));
        }
    }
}
