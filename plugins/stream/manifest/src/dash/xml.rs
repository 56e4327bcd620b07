//! The elements of an XML document, one after the other, with their lines. It stands between the reader of DASH and
//! `quick-xml`, so that no manifest is nested too deeply, expands an entity, or takes more than linear time.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::note::ManifestError;

/// Elements within each other; a manifest needs 8.
const DEEPEST: usize = 64;

/// A cursor over the elements of a document.
pub(super) struct XmlCursor<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    /// Bytes before this offset are counted in `line`.
    counted: usize,
    line: usize,
    /// Elements that are open.
    depth: usize,
}

/// The opening of an element.
pub(super) struct XmlElement<'a> {
    start: BytesStart<'a>,
    /// The line where it opens.
    pub(super) line: usize,
}

/// An attribute of an element.
pub(super) struct XmlAttribute<'a> {
    /// The line where its element opens.
    pub(super) line: usize,
    /// The name without a prefix.
    pub(super) name: &'a str,
    /// The value, with its references replaced, as it is written otherwise.
    pub(super) value: Cow<'a, str>,
}

impl<'a> XmlCursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, text, counted: 0, line: 1, depth: 0 }
    }

    /// Returns the next element within the one that is open; `None` after its last, which closes it. The element has to
    /// be read to its end, or skipped, before the next.
    pub(super) fn child(&mut self) -> Result<Option<XmlElement<'a>>, ManifestError> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Some(XmlElement { start, line: self.line })),
                Event::End(_) => return Ok(None),
                Event::Eof if self.depth == 0 => return Ok(None),
                Event::Eof => return Err(self.cut()),
                _ => {}
            }
        }
    }

    /// Passes what is within the element that is open, and closes it.
    pub(super) fn skip(&mut self) -> Result<(), ManifestError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if let Event::Eof = self.event()? {
                return Err(self.cut());
            }
        }
        Ok(())
    }

    /// Returns the text of the element that is open, without spaces around it, and closes it.
    pub(super) fn content(&mut self) -> Result<String, ManifestError> {
        let mut content = String::new();
        let inside = self.depth;
        loop {
            match self.event()? {
                Event::Text(text) if self.depth == inside => content.push_str(&text),
                Event::CData(text) if self.depth == inside => content.push_str(&text),
                Event::GeneralRef(reference) if self.depth == inside => content.push_str(&self.replaced(&reference)?),
                Event::End(_) if self.depth < inside => break,
                Event::Eof => return Err(self.cut()),
                _ => {}
            }
        }
        let trimmed = content.trim();
        Ok(if trimmed.len() == content.len() { content } else { trimmed.to_owned() })
    }

    fn event(&mut self) -> Result<Event<'a>, ManifestError> {
        let begin = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        self.count(begin);
        let event = self.reader.read_event().map_err(|error| {
            let at = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
            self.count(at);
            ManifestError::new(self.line, format!("the XML is malformed: {error}"))
        })?;
        match &event {
            Event::Start(_) if self.depth == DEEPEST => {
                return Err(ManifestError::new(self.line, format!("elements are nested deeper than {DEEPEST}")));
            }
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(event)
    }

    /// Counts the lines before an offset.
    fn count(&mut self, offset: usize) {
        let passed = self.text.as_bytes().get(self.counted..offset).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.counted = self.counted.max(offset.min(self.text.len()));
    }

    fn cut(&mut self) -> ManifestError {
        self.count(self.text.len());
        ManifestError::new(self.line, "the manifest ends within an element").help("the document was cut")
    }

    fn replaced(&self, reference: &BytesRef<'_>) -> Result<String, ManifestError> {
        let wrong = || unknown_reference(self.line);
        if let Some(character) = reference.resolve_char_ref().map_err(|_| wrong())? {
            return Ok(character.into());
        }
        quick_xml::escape::resolve_xml_entity(reference).map(str::to_owned).ok_or_else(wrong)
    }
}

impl XmlElement<'_> {
    /// Returns the name without a prefix.
    pub(super) fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// Hands each attribute over.
    pub(super) fn attributes(
        &self,
        mut read: impl FnMut(XmlAttribute<'_>) -> Result<(), ManifestError>,
    ) -> Result<(), ManifestError> {
        let line = self.line;
        // Looking for repeated names would compare each with each.
        for attribute in self.start.attributes().with_checks(false) {
            let malformed = |error| ManifestError::new(line, format!("an attribute is malformed: {error}"));
            let attribute = attribute.map_err(malformed)?;
            let name = attribute.key.local_name().into_inner();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| unknown_reference(line))?;
            read(XmlAttribute { line, name, value })?;
        }
        Ok(())
    }

    /// Returns `true` for an element that does not exist: a reference that resolves to nothing.
    ///
    /// # Errors
    /// The element is in another document (`xlink:href`).
    pub(super) fn is_void(&self) -> Result<bool, ManifestError> {
        let mut is_void = false;
        self.attributes(|attribute| {
            match (attribute.name, &*attribute.value) {
                ("href", "urn:mpeg:dash:resolve-to-zero:2013") => is_void = true,
                ("href", _) => {
                    let text = format!("`{}` is in another document, which is not supported", self.name());
                    return Err(ManifestError::new(self.line, text)
                        .help("serve the manifest with its `xlink:href` references resolved"));
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(is_void)
    }
}

fn unknown_reference(line: usize) -> ManifestError {
    ManifestError::new(line, "`&` does not begin a known reference").help("an ampersand is written `&amp;`")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names of all elements with their lines, attributes and texts.
    fn walk(cursor: &mut XmlCursor<'_>, output: &mut String) -> Result<(), ManifestError> {
        while let Some(element) = cursor.child()? {
            output.push_str(&format!("{}:{}", element.name(), element.line));
            element.attributes(|attribute| {
                output.push_str(&format!(" {}={}", attribute.name, attribute.value));
                Ok(())
            })?;
            match element.name() {
                "text" => output.push_str(&format!(" [{}]", cursor.content()?)),
                "skip" => cursor.skip()?,
                _ => walk(cursor, output)?,
            }
            output.push(';');
        }
        Ok(())
    }

    fn walked(text: &str) -> Result<String, String> {
        let mut output = String::new();
        walk(&mut XmlCursor::new(text), &mut output).map_err(|error| error.to_string())?;
        Ok(output)
    }

    #[test]
    fn elements_have_lines_attributes_and_texts() {
        for (text, elements) in [
            ("<?xml version='1.0'?>\n<!-- a -->\n<p:a x:b='1'\n c='2'>\n<d/></p:a>", "a:3 b=1 c=2d:5;;"),
            ("<text> a&amp;b&#x41;<![CDATA[<c>]]><d>e</d>\n</text>", "text:1 [a&bA<c>];"),
            ("<a b='&amp;&lt;&amp;&#65;&amp;\n'/>", "a:1 b=&<&A& ;"),
            ("<skip><text><text/></text></skip><a/>", "skip:1;a:1;"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "a:1;"),
            ("", ""),
        ] {
            assert_eq!(walked(text).as_deref(), Ok(elements), "{text}");
        }
    }

    #[test]
    fn malformed_documents_have_lines() {
        let deep = "<a>".repeat(65);
        for (text, error) in [
            ("<a>\n<b>\n", "line 3: the manifest ends within an element (the document was cut)"),
            ("<text>\n", "line 2: the manifest ends within an element (the document was cut)"),
            ("<a>\n&b;", "line 2: the manifest ends within an element (the document was cut)"),
            ("<text>\n&b;</text>", "line 2: `&` does not begin a known reference (an ampersand is written `&amp;`)"),
            ("\n<a b='c&d=e'/>", "line 2: `&` does not begin a known reference (an ampersand is written `&amp;`)"),
            (
                "<!DOCTYPE a [<!ENTITY b 'c'>]><a b='&b;'/>",
                "line 1: `&` does not begin a known reference (an ampersand is written `&amp;`)",
            ),
            (
                "\n<a b=c/>",
                "line 2: an attribute is malformed: position 4: attribute value must be enclosed in `\"` or `'`",
            ),
            ("\n<a></b>", "line 2: the XML is malformed: ill-formed document: expected `</a>`, but `</b>` was found"),
            (&deep, "line 1: elements are nested deeper than 64"),
        ] {
            assert_eq!(walked(text), Err(error.into()), "{text}");
        }
    }
}
