//! The reader of DASH.

use std::rc::Rc;

use viewer_core::{Indexed, Playlist, Presentation};

use crate::Manifest;
use crate::note::{ManifestError, Noted};

pub(crate) fn read_manifest(
    _text: &str,
    _url: &str,
    _previous: Option<&Rc<Presentation>>,
) -> Result<Noted<Manifest>, ManifestError> {
    Err(ManifestError::new(1, "DASH is not read yet"))
}

pub(crate) fn read_index(_bytes: &[u8], _offset: u64, _indexed: &Indexed) -> Result<Playlist, ManifestError> {
    Err(ManifestError::new(1, "DASH is not read yet"))
}
