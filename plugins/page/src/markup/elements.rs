//! The elements that matter to a scan for resources. The tokenizer drops the tags of all others.

/// The start tags that may lead to a resource, or matter to others that do.
const STARTS: [&[u8]; 26] = [
    b"base",
    b"link",
    b"script",
    b"iframe",
    b"img",
    b"image",
    b"source",
    b"picture",
    b"video",
    b"audio",
    b"input",
    b"object",
    b"embed",
    b"frame",
    b"frameset",
    b"template",
    b"body",
    b"table",
    b"thead",
    b"tbody",
    b"tfoot",
    b"tr",
    b"td",
    b"th",
    b"feimage",
    b"use",
];

/// The end tags that matter.
const ENDS: [&[u8]; 5] = [b"template", b"picture", b"video", b"audio", b"object"];

/// Returns `true` for a start tag that [`ResourceScan::begin`](super::scan::ResourceScan::begin) looks at.
pub(super) fn knows(name: &[u8]) -> bool {
    STARTS.contains(&name)
}

/// Returns `true` for an end tag that [`ResourceScan::end`](super::scan::ResourceScan::end) looks at.
pub(super) fn knows_end(name: &[u8]) -> bool {
    ENDS.contains(&name)
}
