//! The folder of media. It holds a folder for each track, whose name is that of the track, with an initialization
//! section `init.mp4` and segments of any name that ends in `.m4s`. ffmpeg and shaka-packager can write it so.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::fragment::Fragment;
use super::init_section::InitSection;
use super::media_track::{MediaTrack, RecordedTrack};
use crate::stream::micros::{Micros, SECOND};
use crate::stream::track_info::TrackKind;

/// Most by which the ends of tracks may differ.
const MOST_UNEVEN: Micros = SECOND;

/// The tracks of a folder, in memory.
pub(crate) struct MediaFolder {
    /// Qualities of the video in ascending order, then audio.
    pub tracks: Vec<Arc<MediaTrack>>,
    /// Duration of the recording.
    pub length: Micros,
    /// Longest duration of a segment.
    pub longest_segment: Micros,
    /// Longest duration of a fragment.
    pub longest_part: Micros,
    /// The segments have about the same duration.
    pub is_even: bool,
}

impl MediaFolder {
    /// Reads a folder.
    ///
    /// # Errors
    /// A file cannot be read, or is not of the form that can be served; the message names it.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut recorded = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| named(folder, &error))? {
            let path = entry?.path();
            if path.is_dir() {
                recorded.push(read_track(&path)?);
            }
        }
        let is_audio = |track: &&RecordedTrack| track.section.kind == TrackKind::Audio;
        let has_video = recorded.iter().any(|track| !is_audio(&track));
        if !has_video || recorded.iter().filter(is_audio).count() > 1 {
            return Err(invalid(folder, "it does not have at least one folder of video and at most one of audio"));
        }
        let begin = recorded.iter().map(RecordedTrack::begin).min().unwrap_or_default();
        let ends = recorded.iter().filter(|track| !is_audio(track)).map(RecordedTrack::end);
        let end = ends.min().unwrap_or_default();
        if let Some(track) = recorded.iter().find(|track| track.end().abs_diff(end) > MOST_UNEVEN) {
            return Err(invalid(folder, &format!("track `{}` is longer or shorter than others", track.name)));
        }
        let length = end.saturating_sub(begin);
        if length == 0 || recorded.iter().any(|track| track.begin() >= end) {
            return Err(invalid(folder, "it has a track that ends before others begin"));
        }
        let place = |track| Arc::new(MediaTrack::place(track, begin, length));
        let mut tracks: Vec<_> = recorded.into_iter().map(place).collect();
        tracks.sort_by_key(|track| (track.kind() == TrackKind::Audio, track.bandwidth()));
        let longest_segment = tracks.iter().map(|track| track.longest_segment()).max().unwrap_or_default();
        let longest_part = tracks.iter().map(|track| track.longest_part()).max().unwrap_or_default();
        let is_even = tracks.iter().all(|track| track.is_even());
        Ok(Self { tracks, length, longest_segment, longest_part, is_even })
    }

    /// Returns the track of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<MediaTrack>> {
        self.tracks.iter().find(|track| track.name() == name)
    }
}

fn read_track(folder: &Path) -> io::Result<RecordedTrack> {
    let name = folder.file_name().and_then(OsStr::to_str).filter(|name| is_name(name));
    let name = name.ok_or_else(|| invalid(folder, "the name of a track has letters, digits, `-` and `_` only"))?;
    let path = folder.join("init.mp4");
    let init = read_file(&path)?;
    let section = InitSection::parse(&init).map_err(|why| invalid(&path, &why))?;
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("m4s")) {
            let fragments = Fragment::cut(&read_file(&path)?, section.defaults);
            segments.push(fragments.map_err(|why| invalid(&path, &why))?);
        }
    }
    if segments.is_empty() {
        return Err(invalid(folder, "it has no segment, a file `*.m4s`"));
    }
    segments.sort_by_key(|fragments| fragments.first().map(|fragment| fragment.time));
    Ok(RecordedTrack { name: name.to_owned(), init, section, segments })
}

/// Returns `true` if a name can stand in a URI and in a manifest as it is, and is not that of the keys.
fn is_name(name: &str) -> bool {
    name != "key" && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn read_file(path: &Path) -> io::Result<Bytes> {
    fs::read(path).map(Bytes::from).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

fn invalid(path: &Path, why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("`{}`: {why}", path.display()))
}
