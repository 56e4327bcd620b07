//! The reader of HLS.

use viewer_core::Playlist;

use crate::note::{ManifestError, Noted};
use crate::{Manifest, PlaylistContext};

pub(crate) fn read_manifest(_text: &str, _url: &str) -> Result<Noted<Manifest>, ManifestError> {
    Err(ManifestError::new(1, "HLS is not read yet"))
}

pub(crate) fn read_playlist(_text: &str, _context: &PlaylistContext<'_>) -> Result<Noted<Playlist>, ManifestError> {
    Err(ManifestError::new(1, "HLS is not read yet"))
}
