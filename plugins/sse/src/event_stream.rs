//! The format of an event stream (WHATWG HTML, section 9.2.6), parsed from pieces that may be cut anywhere. Only the
//! data of an event is kept: types and ids are for a reader that reconnects, which no step does.

/// The longest line, and the most data of an event, in bytes.
pub(crate) const MOST: usize = 1 << 20;

/// An event that is larger than [`MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// A parser of an event stream, with the bytes that are not a whole event yet.
#[derive(Debug, Default)]
pub(crate) struct EventStream {
    /// The line that has not ended.
    line: Vec<u8>,
    /// The data of the event that has not ended, each line with a line feed; `None` before there is any.
    data: Option<Vec<u8>>,
    /// `true` if the last byte was a carriage return: a line feed that follows belongs to it.
    returned: bool,
    /// `true` after the first line, which may begin with a byte order mark.
    begun: bool,
}

impl EventStream {
    /// Takes the next piece, and returns the data of the events that end in it.
    ///
    /// # Errors
    /// An event is too large.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<Vec<Vec<u8>>, TooLarge> {
        let mut events = Vec::new();
        if std::mem::take(&mut self.returned) && !piece.is_empty() {
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.extend(&piece[..end])?;
            let is_return = piece[end] == b'\r';
            piece = &piece[end + 1..];
            match piece.strip_prefix(b"\n") {
                Some(rest) if is_return => piece = rest,
                _ => self.returned = is_return && piece.is_empty(),
            }
            let line = std::mem::take(&mut self.line);
            events.extend(self.take_line(&line)?);
        }
        self.extend(piece)?;
        Ok(events)
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        self.line.extend_from_slice(bytes);
        if self.line.len() > MOST { Err(TooLarge) } else { Ok(()) }
    }

    /// Takes a line, and returns the event that it ends, if any.
    fn take_line(&mut self, mut line: &[u8]) -> Result<Option<Vec<u8>>, TooLarge> {
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            return Ok(self.data.take().map(|mut data| {
                data.pop();
                data
            }));
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        if name == b"data" {
            let data = self.data.get_or_insert_default();
            data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            data.push(b'\n');
            if data.len() > MOST {
                return Err(TooLarge);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_wherever_the_stream_is_cut() {
        for (case, stream, events) in [
            ("nothing", "", &[][..]),
            ("one", "data: a\n\n", &["a"]),
            ("no space", "data:a\n\n", &["a"]),
            ("two spaces", "data:  a\n\n", &[" a"]),
            ("two lines", "data: a\ndata: b\n\n", &["a\nb"]),
            ("no value", "data\n\ndata:\ndata\n\n", &["", "\n"]),
            ("carriage returns", "data: a\r\rdata: b\r\n\r\ndata: c\n\r\n", &["a", "b", "c"]),
            ("other fields", "event: x\nid: 1\nretry: 5\ndata: a\nnone\n\n", &["a"]),
            ("a comment", ": keep alive\n\ndata: a\n: b\n\n", &["a"]),
            ("an event without data", "event: x\n\n\n\n", &[]),
            ("a byte order mark", "\u{feff}data: a\n\n", &["a"]),
            ("one that does not end", "data: a\n\ndata: b\n", &["a"]),
            ("a colon in the data", "data: {\"a\": 1}\n\n", &["{\"a\": 1}"]),
        ] {
            for size in [1, 2, 3, 100] {
                let mut reader = EventStream::default();
                let pieces = stream.as_bytes().chunks(size);
                let read: Vec<_> = pieces.flat_map(|piece| reader.push(piece).expect("small events")).collect();
                let read: Vec<_> = read.iter().map(|data| String::from_utf8_lossy(data)).collect();
                assert_eq!(read, events, "{case} in pieces of {size}");
            }
        }
    }

    #[test]
    fn lines_and_events_without_an_end_are_bounded() {
        let mut line = EventStream::default();
        assert_eq!(line.push(&[b'a'; MOST]), Ok(Vec::new()));
        assert_eq!(line.push(b"a"), Err(TooLarge));
        let mut event = EventStream::default();
        let half = [b"data:".as_slice(), &[b'a'; MOST / 2], b"\n"].concat();
        assert_eq!(event.push(&half), Ok(Vec::new()));
        assert_eq!(event.push(&half), Err(TooLarge));
    }
}
