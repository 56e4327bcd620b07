//! The namespaces of elements: HTML, or within `<svg>` and `<math>` foreign content, where `<style>` and the like hold
//! no raw text and tags may close themselves (HTML standard, section 13.2.6.5). Only foreign elements are tracked,
//! which is enough to tell where foreign content ends.

use super::attributes::Attributes;

/// The most foreign elements that are tracked; browsers nest elements 512 deep.
const DEEPEST: usize = 512;

/// A namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Namespace {
    #[default]
    Html,
    Svg,
    MathMl,
}

/// Start tags that end foreign content.
const BREAKOUTS: [&[u8]; 44] = [
    b"b",
    b"big",
    b"blockquote",
    b"body",
    b"br",
    b"center",
    b"code",
    b"dd",
    b"div",
    b"dl",
    b"dt",
    b"em",
    b"embed",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"head",
    b"hr",
    b"i",
    b"img",
    b"li",
    b"listing",
    b"menu",
    b"meta",
    b"nobr",
    b"ol",
    b"p",
    b"pre",
    b"ruby",
    b"s",
    b"small",
    b"span",
    b"strong",
    b"strike",
    b"sub",
    b"sup",
    b"table",
    b"tt",
    b"u",
    b"ul",
    b"var",
];

/// The content that a foreign element has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Foreign elements.
    Foreign,
    /// HTML.
    Html,
    /// HTML, except `mglyph` and `malignmark`.
    MathMlText,
    /// Foreign elements, and `svg`.
    Annotation,
}

#[derive(Debug)]
struct ForeignElement {
    name: Vec<u8>,
    namespace: Namespace,
    content: Content,
}

/// The foreign elements that are open.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    open: Vec<ForeignElement>,
    /// The number of elements that are open below those.
    deeper: usize,
}

impl Namespaces {
    /// Returns `true` within foreign content, where CDATA sections are text.
    pub(super) fn is_foreign(&self) -> bool {
        !self.open.is_empty()
    }

    /// Begins an element and returns its namespace.
    pub(super) fn begin(&mut self, name: &[u8], attributes: &Attributes, self_closing: bool) -> Namespace {
        if self.open.last().is_some_and(|parent| !parent.takes_html(name)) && is_breakout(name, attributes) {
            self.leave_foreign();
        }
        let namespace = match self.open.last() {
            Some(parent) if !parent.takes_html(name) => parent.namespace,
            _ if name == b"svg" => Namespace::Svg,
            _ if name == b"math" => Namespace::MathMl,
            _ => return Namespace::Html,
        };
        if !self_closing {
            self.push(name, namespace, attributes);
        }
        namespace
    }

    /// Ends an element.
    pub(super) fn end(&mut self, name: &[u8]) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if matches!(name, b"p" | b"br") && self.open.last().is_some_and(|top| top.content == Content::Foreign) {
            self.leave_foreign();
        } else if let Some(found) = self.open.iter().rposition(|element| element.name == name) {
            self.open.truncate(found);
        }
    }

    fn push(&mut self, name: &[u8], namespace: Namespace, attributes: &Attributes) {
        if self.open.len() >= DEEPEST {
            self.deeper += 1;
            return;
        }
        let content = match (namespace, name) {
            (Namespace::Svg, b"foreignobject" | b"desc" | b"title") => Content::Html,
            (Namespace::MathMl, b"mi" | b"mo" | b"mn" | b"ms" | b"mtext") => Content::MathMlText,
            (Namespace::MathMl, b"annotation-xml") => {
                let is_html = ["text/html", "application/xhtml+xml"].iter().any(|kind| attributes.is("encoding", kind));
                if is_html { Content::Html } else { Content::Annotation }
            }
            _ => Content::Foreign,
        };
        self.open.push(ForeignElement { name: name.to_vec(), namespace, content });
    }

    /// Closes elements up to one that has HTML as its content.
    fn leave_foreign(&mut self) {
        self.deeper = 0;
        while self.open.last().is_some_and(|top| matches!(top.content, Content::Foreign | Content::Annotation)) {
            self.open.pop();
        }
    }
}

impl ForeignElement {
    /// Returns `true` if a start tag of this name in it begins an element of HTML, or foreign content anew.
    fn takes_html(&self, name: &[u8]) -> bool {
        match self.content {
            Content::Foreign => false,
            Content::Html => true,
            Content::MathMlText => !matches!(name, b"mglyph" | b"malignmark"),
            Content::Annotation => name == b"svg",
        }
    }
}

fn is_breakout(name: &[u8], attributes: &Attributes) -> bool {
    let is_styled = || ["color", "face", "size"].iter().any(|styled| attributes.has(styled));
    BREAKOUTS.contains(&name) || name == b"font" && is_styled()
}
