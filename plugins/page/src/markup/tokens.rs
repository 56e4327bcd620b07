//! The tags of a page, from html5gum, which tokenizes by the standard. Text and comments are dropped as they are read,
//! and tags that lead to no resource too.

use std::convert::Infallible;
use std::mem;

use html5gum::{Emitter, Error, Reader, State};

use super::attributes::Attributes;
use super::elements;
use super::namespaces::{Namespace, Namespaces};

/// The most bytes that are searched at once.
const READ_AT_ONCE: usize = 4 << 10;

/// The longest name of a tag or an attribute that is kept.
const LONGEST_NAME: usize = 32;

/// A page as the tokenizer reads it. A search looks each byte up once, however many are searched for.
pub(super) struct PageReader<'a>(pub &'a [u8]);

impl Reader for PageReader<'_> {
    type Error = Infallible;

    fn read_byte(&mut self) -> Result<Option<u8>, Infallible> {
        Ok(self.0.split_off_first().copied())
    }

    fn try_read_string(&mut self, text: &[u8], case_sensitive: bool) -> Result<bool, Infallible> {
        let Some(next) = self.0.get(..text.len()) else { return Ok(false) };
        let matches = if case_sensitive { next == text } else { next.eq_ignore_ascii_case(text) };
        if matches {
            self.0 = &self.0[text.len()..];
        }
        Ok(matches)
    }

    fn read_until<'b>(&'b mut self, needle: &[u8], _: &'b mut [u8; 4]) -> Result<Option<&'b [u8]>, Infallible> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let window = &self.0[..self.0.len().min(READ_AT_ONCE)];
        let mut is_needle = [false; 256];
        needle.iter().for_each(|byte| is_needle[usize::from(*byte)] = true);
        let found = window.iter().position(|byte| is_needle[usize::from(*byte)]);
        let length = found.unwrap_or(window.len()).max(1);
        let (read, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(Some(read))
    }
}

/// A start tag that may lead to a resource.
#[derive(Debug)]
pub(super) struct Tag {
    /// The name, in lower case.
    pub name: Vec<u8>,
    /// The namespace of its element.
    pub namespace: Namespace,
    /// Its attributes.
    pub attributes: Attributes,
}

/// A result of the tokenizer.
#[derive(Debug)]
pub(super) enum TagToken {
    /// A start tag.
    Start(Tag),
    /// An end tag with this name.
    End(Vec<u8>),
    /// Nothing, after a portion of the page.
    Portion,
}

/// Collects the tags.
pub(super) struct TagEmitter {
    /// The bytes of a portion.
    portion: isize,
    /// Bytes left of the current portion.
    left: isize,
    is_end: bool,
    self_closing: bool,
    name: Vec<u8>,
    last_start_tag: Vec<u8>,
    attribute: Vec<u8>,
    value: Vec<u8>,
    attributes: Attributes,
    namespaces: Namespaces,
    token: Option<TagToken>,
}

impl TagEmitter {
    /// Creates an emitter that returns a token after every `portion` bytes at least.
    pub(super) fn new(portion: usize) -> Self {
        let portion = isize::try_from(portion).unwrap_or(isize::MAX);
        Self {
            portion,
            left: portion,
            is_end: false,
            self_closing: false,
            name: Vec::new(),
            last_start_tag: Vec::new(),
            attribute: Vec::new(),
            value: Vec::new(),
            attributes: Attributes::default(),
            namespaces: Namespaces::default(),
            token: None,
        }
    }

    /// Adds the attribute that was read.
    fn flush_attribute(&mut self) {
        if !self.attribute.is_empty() {
            self.attributes.add(&self.attribute, &self.value);
            self.attribute.clear();
            self.value.clear();
        }
    }

    fn begin_tag(&mut self, is_end: bool) {
        (self.is_end, self.self_closing) = (is_end, false);
        self.name.clear();
        self.attribute.clear();
        self.value.clear();
        self.attributes = Attributes::default();
    }
}

/// Appends to a name, up to one byte more than any that is known.
fn push_name(name: &mut Vec<u8>, piece: &[u8]) {
    let room = (LONGEST_NAME + 1).saturating_sub(name.len());
    name.extend_from_slice(&piece[..piece.len().min(room)]);
}

impl Emitter for TagEmitter {
    type Token = TagToken;

    fn set_last_start_tag(&mut self, last_start_tag: Option<&[u8]>) {
        self.last_start_tag = last_start_tag.unwrap_or_default().to_vec();
    }

    fn emit_eof(&mut self) {}

    fn emit_error(&mut self, _: Error) {}

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<TagToken> {
        if let Some(token) = self.token.take() {
            return Some(token);
        }
        if self.left > 0 {
            return None;
        }
        self.left = self.portion;
        Some(TagToken::Portion)
    }

    fn emit_string(&mut self, _: &[u8]) {}

    fn init_start_tag(&mut self) {
        self.begin_tag(false);
    }

    fn init_end_tag(&mut self) {
        self.begin_tag(true);
    }

    fn init_comment(&mut self) {}

    fn emit_current_tag(&mut self) -> Option<State> {
        self.flush_attribute();
        if self.is_end {
            self.last_start_tag.clear();
            self.namespaces.end(&self.name);
            if elements::knows_end(&self.name) {
                self.token = Some(TagToken::End(self.name.clone()));
            }
            return None;
        }
        let namespace = self.namespaces.begin(&self.name, &self.attributes, self.self_closing);
        self.last_start_tag.clone_from(&self.name);
        if elements::knows(&self.name) {
            let attributes = mem::take(&mut self.attributes);
            self.token = Some(TagToken::Start(Tag { name: self.name.clone(), namespace, attributes }));
        }
        if namespace == Namespace::Html { content_state(&self.name) } else { None }
    }

    fn emit_current_comment(&mut self) {}

    fn emit_current_doctype(&mut self) {}

    fn set_self_closing(&mut self) {
        self.self_closing = true;
    }

    fn set_force_quirks(&mut self) {}

    fn push_tag_name(&mut self, piece: &[u8]) {
        push_name(&mut self.name, piece);
    }

    fn push_comment(&mut self, _: &[u8]) {}

    fn push_doctype_name(&mut self, _: &[u8]) {}

    fn init_doctype(&mut self) {}

    fn init_attribute(&mut self) {
        self.flush_attribute();
    }

    fn push_attribute_name(&mut self, piece: &[u8]) {
        push_name(&mut self.attribute, piece);
    }

    fn push_attribute_value(&mut self, piece: &[u8]) {
        if Attributes::keeps(&self.attribute) && !Attributes::is_too_long(&self.value) {
            self.value.extend_from_slice(piece);
        }
    }

    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.is_end && !self.last_start_tag.is_empty() && self.last_start_tag == self.name
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        self.namespaces.is_foreign()
    }

    fn move_position(&mut self, offset: isize) {
        self.left -= offset;
    }
}

/// Returns the state of the tokenizer after a start tag of HTML whose content is text. With scripts, as in a browser,
/// that of `noscript` is text too.
fn content_state(name: &[u8]) -> Option<State> {
    match name {
        b"title" | b"textarea" => Some(State::RcData),
        b"style" | b"xmp" | b"iframe" | b"noembed" | b"noframes" | b"noscript" => Some(State::RawText),
        b"script" => Some(State::ScriptData),
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}
