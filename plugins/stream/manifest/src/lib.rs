//! Readers of HLS playlists, DASH manifests and what belongs to them, to the one model of `viewer-core`. The format is
//! told by the content, since servers name and label manifests as they like. A reader never panics, takes time linear
//! in the text, and accepts what players accept: it warns of the rest.

mod dash;
mod hls;
mod instant;
mod note;
mod steering;

use std::rc::Rc;

use viewer_core::{IndexedFile, Playlist, Presentation, Variable};

pub use instant::read_instant;
pub use note::{ManifestError, Warning, WithWarnings};
pub use steering::read_steering;

/// The largest manifest, in bytes.
const LARGEST: usize = 64 << 20;

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A manifest that was read.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The presentation.
    pub presentation: Presentation,
    /// The media playlist that came in the place of a multivariant one; the presentation has one rung then.
    pub entry: Option<Playlist>,
}

/// The surroundings of a media playlist.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaylistContext<'a> {
    /// The absolute URL that answered, after redirects: references are resolved against it.
    pub url: &'a str,
    /// The variables of the multivariant playlist, for `EXT-X-DEFINE:IMPORT`.
    pub variables: &'a [Variable],
    /// The playlist before, which a delta update (`EXT-X-SKIP`) builds upon.
    pub previous: Option<&'a Playlist>,
}

/// Reads a manifest of either format. `url` is the absolute URL that answered, after redirects. `previous` is the
/// presentation before, when a manifest of DASH is refreshed: playlists that have not changed are shared with it.
///
/// # Errors
/// The text is neither HLS nor DASH, or a part without which nothing plays is missing or malformed.
pub fn read_manifest(
    bytes: &[u8],
    url: &str,
    previous: Option<&Rc<Presentation>>,
) -> Result<WithWarnings<Manifest>, ManifestError> {
    let text = text(bytes)?;
    let read = match text.trim_start() {
        start if start.starts_with("#EXTM3U") => hls::read_manifest(text, url),
        start if start.starts_with('<') => dash::read_manifest(text, url, previous),
        _ => Err(ManifestError::new(1, "the content is neither HLS nor DASH")
            .help("check the URL: the server answered with another document")),
    };
    read.map(|noted| with_mark(bytes, noted))
}

/// Reads a media playlist of HLS.
///
/// # Errors
/// The text is not a media playlist, a variable is not defined, or a delta update does not fit the playlist before.
pub fn read_playlist(bytes: &[u8], context: &PlaylistContext<'_>) -> Result<WithWarnings<Playlist>, ManifestError> {
    hls::read_playlist(text(bytes)?, context).map(|noted| with_mark(bytes, noted))
}

/// Reads the segment index (`sidx`) of a DASH file to a playlist. `bytes` begin at `offset` of the file.
///
/// # Errors
/// There is no index in the bytes, or it is malformed.
pub fn read_index(bytes: &[u8], offset: u64, indexed: &IndexedFile) -> Result<Playlist, ManifestError> {
    dash::read_index(bytes, offset, indexed)
}

/// Warns of a byte order mark.
fn with_mark<T>(bytes: &[u8], mut noted: WithWarnings<T>) -> WithWarnings<T> {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        noted.warnings.insert(0, Warning { line: 1, text: "some players reject the byte order mark".into() });
    }
    noted
}

/// Returns the text of a manifest: UTF-8, perhaps after a byte order mark.
fn text(bytes: &[u8]) -> Result<&str, ManifestError> {
    if bytes.len() > LARGEST {
        return Err(ManifestError::new(1, "the manifest is larger than 64 MiB"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ManifestError::new(1, "the manifest is UTF-16").help("both formats are UTF-8"));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        ManifestError::new(line, "the text is not UTF-8")
    })
}
