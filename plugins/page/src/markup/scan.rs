//! The resources that a browser fetches for each tag, and the parts of a page whose tags count for nothing.

use super::namespaces::Namespace;
use super::tokens::Tag;

/// The state of a scan in the middle of a page.
#[derive(Default)]
pub(super) struct ResourceScan {
    base: Option<String>,
    found: Vec<String>,
    /// The depth of nested `template` elements, whose content is not shown.
    hidden: u32,
    /// Within a `picture`, `video` or `audio`: `true` once its source is chosen, or if none is wanted.
    chosen: Option<bool>,
    /// The depth of nested `object` elements with data; others in them are for browsers that cannot show them.
    objects: u32,
    /// True once there was a `frameset`.
    has_frames: bool,
}

impl ResourceScan {
    /// Looks at a start tag.
    pub(super) fn begin(&mut self, tag: &Tag) {
        if tag.namespace == Namespace::Html && tag.name == b"template" {
            self.hidden += 1;
        }
        if self.hidden > 0 {
            return;
        }
        let found = match tag.namespace {
            Namespace::Html => self.of_html(tag),
            Namespace::Svg => of_svg(tag),
            Namespace::MathMl => None,
        };
        self.found.extend(found);
    }

    /// Looks at an end tag.
    pub(super) fn end(&mut self, name: &[u8]) {
        match name {
            b"template" => self.hidden = self.hidden.saturating_sub(1),
            _ if self.hidden > 0 => {}
            b"object" => self.objects = self.objects.saturating_sub(1),
            b"picture" | b"video" | b"audio" => self.chosen = None,
            _ => {}
        }
    }

    /// Returns the base of the references, and the references.
    pub(super) fn finish(self) -> (Option<String>, Vec<String>) {
        (self.base, self.found)
    }

    fn of_html(&mut self, tag: &Tag) -> Option<String> {
        let attributes = &tag.attributes;
        match tag.name.as_slice() {
            b"base" => {
                self.base = self.base.take().or_else(|| attributes.reference("href"));
                None
            }
            b"link" if is_fetched(tag) => attributes.reference("href"),
            b"script" if is_script(tag) => attributes.reference("src"),
            b"iframe" if !attributes.has("srcdoc") => attributes.reference("src"),
            b"frameset" => {
                self.has_frames = true;
                None
            }
            b"frame" if self.has_frames => attributes.reference("src"),
            b"img" | b"image" if self.chosen == Some(true) => None,
            b"img" | b"image" => attributes.reference("src").or_else(|| first_candidate(tag)),
            b"input" if attributes.is("type", "image") => attributes.reference("src"),
            b"embed" if self.objects == 0 => attributes.reference("src"),
            b"object" => {
                let data = attributes.reference("data").filter(|_| self.objects == 0);
                self.objects += u32::from(self.objects > 0 || data.is_some());
                data
            }
            b"body" | b"table" | b"thead" | b"tbody" | b"tfoot" | b"tr" | b"td" | b"th" => {
                attributes.reference("background")
            }
            b"source" if self.chosen == Some(false) => {
                let source = first_candidate(tag).or_else(|| attributes.reference("src"));
                self.chosen = Some(source.is_some());
                source
            }
            b"picture" => {
                self.chosen = Some(false);
                None
            }
            b"video" | b"audio" => {
                let own = attributes.reference("src").filter(|_| is_eager(tag));
                self.chosen = Some(own.is_some() || attributes.has("src") || !is_eager(tag));
                self.found.extend(attributes.reference("poster").filter(|_| tag.name == b"video"));
                own
            }
            _ => None,
        }
    }
}

/// Returns the reference of an element of SVG. One to a part of the page itself is not fetched.
fn of_svg(tag: &Tag) -> Option<String> {
    let fetches = match tag.name.as_slice() {
        b"image" | b"feimage" | b"use" => true,
        b"script" => is_script(tag),
        _ => false,
    };
    let reference = || tag.attributes.reference("href").or_else(|| tag.attributes.reference("xlink:href"));
    reference().filter(|reference| fetches && !reference.starts_with('#'))
}

/// Returns `true` for a link that is fetched with the page: not a style sheet that is disabled, or in another language.
fn is_fetched(tag: &Tag) -> bool {
    let attributes = &tag.attributes;
    if attributes.is_one_of("rel", &["stylesheet"]) {
        let is_css = attributes.reference("type").is_none_or(|kind| is_css(&kind));
        return is_css && !attributes.has("disabled");
    }
    attributes.is_one_of("rel", &["icon", "preload", "modulepreload"])
}

fn is_css(kind: &str) -> bool {
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/css")
}

/// Returns `true` for a script that a browser runs: not data, and not for old browsers only.
fn is_script(tag: &Tag) -> bool {
    let kind = tag.attributes.text("type").to_ascii_lowercase();
    let runs = kind.is_empty() || kind == "module" || kind.contains("javascript") || kind.contains("ecmascript");
    runs && !tag.attributes.has("nomodule")
}

/// Returns `true` for a video or a sound that is fetched before it is played.
fn is_eager(tag: &Tag) -> bool {
    let preload = || matches!(tag.attributes.text("preload").to_ascii_lowercase().as_str(), "" | "auto");
    tag.attributes.has("autoplay") || tag.attributes.has("preload") && preload()
}

/// Returns the first candidate of a `srcset`.
fn first_candidate(tag: &Tag) -> Option<String> {
    let set = tag.attributes.text("srcset");
    let first = set.split_ascii_whitespace().next()?.trim_matches(',');
    Some(first.to_owned()).filter(|first| !first.is_empty())
}
