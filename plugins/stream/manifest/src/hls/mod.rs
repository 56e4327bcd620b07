//! The reader of HLS (RFC 8216 and its second edition). Unknown tags are skipped and a version is never refused:
//! players do neither.

mod lines;
mod media;
mod multivariant;
mod segments;
mod variables;

use viewer_core::{Format, Playlist, Presentation, Rung, Source, Track, TrackKind};

use crate::note::{ManifestError, WithWarnings};
use crate::{Manifest, PlaylistContext};
use lines::{LineKind, lines};

/// Reads a manifest: a multivariant playlist, or a media playlist in its place.
pub(crate) fn read_manifest(text: &str, url: &str) -> Result<WithWarnings<Manifest>, ManifestError> {
    let is_tag = |names: &[&str]| {
        lines(text).any(|line| matches!(line.kind, LineKind::Tag { name, .. } if names.contains(&name)))
    };
    if is_tag(&["EXT-X-STREAM-INF"]) || !is_tag(&["EXTINF", "EXT-X-TARGETDURATION", "EXT-X-PART"]) {
        let WithWarnings { value, warnings } = multivariant::read(text, url)?;
        return Ok(WithWarnings { value: Manifest { presentation: value, entry: None }, warnings });
    }
    let context = PlaylistContext { url, ..PlaylistContext::default() };
    let WithWarnings { value, warnings } = read_playlist(text, &context)?;
    Ok(WithWarnings { value: Manifest { presentation: around(url), entry: Some(value) }, warnings })
}

/// Reads a media playlist.
pub(crate) fn read_playlist(
    text: &str,
    context: &PlaylistContext<'_>,
) -> Result<WithWarnings<Playlist>, ManifestError> {
    let first = lines(text).next();
    if !matches!(first.map(|line| line.kind), Some(LineKind::Tag { name: "EXTM3U", .. })) {
        let line = first.map_or(1, |line| line.number);
        return Err(ManifestError::new(line, "the first line is not `#EXTM3U`")
            .help("check the URL: the server answered with another document"));
    }
    media::read(text, context)
}

/// Returns a presentation whose one rung is the media playlist at a URL.
fn around(url: &str) -> Presentation {
    let rung = Rung::of(Source::Remote { url: url.into(), pathway: ".".into() });
    Presentation {
        format: Format::Hls,
        tracks: vec![Track {
            kind: TrackKind::Video,
            language: None,
            is_default: true,
            rungs: vec![rung],
            listed_first: 0,
        }],
        live: None,
        clocks: Vec::new(),
        start: None,
        variables: Vec::new(),
        steering: None,
    }
}
