//! The elements of a JSON array, one at a time out of a file: the offset of each, and its bytes. The scanner only finds
//! the ends of elements; a parser checks that each is JSON.

use std::io::{self, BufRead};

/// A scanner for elements. The file's text must begin with an array.
pub(super) struct ArrayScanner<R> {
    input: R,
    /// Bytes read so far.
    at: u64,
    /// Lines begun so far.
    line: usize,
    /// True once the bracket that opens the array has been read.
    open: bool,
    /// True once the bracket that closes it has been read.
    closed: bool,
}

/// One element, or the end of the array.
pub(super) enum ScannedElement {
    /// An element, with its first byte and its line.
    Element(u64, usize),
    /// The array is closed, and only white space follows.
    End,
    /// An error in the form of the array, with its line.
    Malformed(usize, &'static str),
}

impl<R: BufRead> ArrayScanner<R> {
    /// Creates a scanner for an input of which `at` bytes were read already.
    pub(super) const fn new(input: R, at: u64) -> Self {
        Self { input, at, line: 1, open: false, closed: false }
    }

    /// Reads the next element; its bytes replace the content of `element`.
    pub(super) fn next(&mut self, element: &mut Vec<u8>) -> io::Result<ScannedElement> {
        element.clear();
        if !self.open {
            match self.skip_blank()? {
                Some(b'[') => self.open = true,
                _ => return Ok(ScannedElement::Malformed(self.line, "expected an array of rows")),
            }
            self.take();
            if self.skip_blank()? == Some(b']') {
                self.take();
                self.closed = true;
            }
        }
        if self.closed {
            return Ok(match self.skip_blank()? {
                None => ScannedElement::End,
                Some(_) => ScannedElement::Malformed(self.line, "not valid JSON: trailing characters"),
            });
        }
        self.skip_blank()?;
        let (start, line) = (self.at, self.line);
        Ok(match self.collect(element)? {
            Some(end) => {
                self.closed = end == b']';
                ScannedElement::Element(start, line)
            }
            None => ScannedElement::Malformed(self.line, "not valid JSON: EOF while parsing a list"),
        })
    }

    /// Takes everything up to the comma or bracket that ends the element, and returns that; `None` at the end of the
    /// input.
    fn collect(&mut self, element: &mut Vec<u8>) -> io::Result<Option<u8>> {
        let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let end = bytes.iter().position(|byte| {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if in_text => escaped = true,
                    b'"' => in_text = !in_text,
                    _ if in_text => {}
                    b',' | b']' if depth == 0 => return true,
                    b'[' | b'{' => depth += 1,
                    b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                false
            });
            let taken = end.unwrap_or(bytes.len());
            element.extend_from_slice(&bytes[..taken]);
            self.line += bytes[..taken].iter().filter(|byte| **byte == b'\n').count();
            let ended = end.map(|end| bytes[end]);
            let used = taken + usize::from(end.is_some());
            self.input.consume(used);
            self.at += used as u64;
            if ended.is_some() {
                return Ok(ended);
            }
        }
    }

    fn skip_blank(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.take(),
                other => return Ok(other),
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    /// Takes the byte that was just peeked at.
    fn take(&mut self) {
        // The byte is in the buffer, so this reads nothing and cannot fail.
        let byte = self.input.fill_buf().ok().and_then(|bytes| bytes.first().copied());
        self.input.consume(1);
        self.at += 1;
        self.line += usize::from(byte == Some(b'\n'));
    }
}
