//! The readers of manifests of streaming viewers.

use std::rc::Rc;

use viewer_core::IndexedFile;
use viewer_manifest::{PlaylistContext, read_index, read_instant, read_manifest, read_playlist, read_steering};

use crate::FuzzTarget;

/// The URL that the manifests come from.
const URL: &str = "https://site.test/live/channel/manifest?token=1";

/// The readers.
pub(crate) const TARGETS: &[FuzzTarget] = &[
    FuzzTarget { name: "manifest", run: manifest },
    FuzzTarget { name: "playlist", run: playlist },
    FuzzTarget { name: "segment-index", run: segment_index },
    FuzzTarget { name: "steering", run: steering },
    FuzzTarget { name: "instant", run: instant },
];

/// Reads a manifest, and the same again as a refresh of itself.
fn manifest(bytes: &[u8]) {
    let Ok(read) = read_manifest(bytes, URL, None) else { return };
    let _ = read_manifest(bytes, URL, Some(&Rc::new(read.value.presentation)));
}

/// Reads a media playlist, and the same again as an update of itself.
fn playlist(bytes: &[u8]) {
    let context = PlaylistContext { url: URL, ..PlaylistContext::default() };
    let Ok(read) = read_playlist(bytes, &context) else { return };
    let _ = read_playlist(bytes, &PlaylistContext { previous: Some(&read.value), ..context });
}

/// Reads the index of a file, whether its place is known or not.
fn segment_index(bytes: &[u8]) {
    let file = IndexedFile { urls: vec![URL.into()], index: None, init: None, offset: 0, end: None, discontinuity: 0 };
    for offset in [0, u64::MAX] {
        let _ = read_index(bytes, offset, &file);
    }
}

fn steering(bytes: &[u8]) {
    let _ = read_steering(bytes, URL);
}

fn instant(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = read_instant(text);
    }
}
