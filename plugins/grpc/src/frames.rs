//! Messages on the wire: a flag, a length in four bytes, and the message, cut anywhere into pieces and perhaps
//! compressed.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use stampede_plugin::Failure;

/// The bytes of flag and length.
const PREFIX: usize = 5;

/// A message as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    bytes: &'a [u8],
    /// The coding that it is compressed in.
    coding: Option<&'a str>,
    most: usize,
}

impl<'a> Frame<'a> {
    /// Returns the message, decompressed.
    ///
    /// # Errors
    /// The coding is not supported, or the message is not in it or too long.
    pub(crate) fn message(&self) -> Result<Cow<'a, [u8]>, Failure> {
        let Some(coding) = self.coding else { return Ok(Cow::Borrowed(self.bytes)) };
        match coding {
            "gzip" => self.read(coding, MultiGzDecoder::new(self.bytes)),
            "deflate" => self.read(coding, ZlibDecoder::new(self.bytes)),
            other => Err(Failure::protocol(format!("a message is compressed in `{other}`, which is not supported"))),
        }
    }

    fn read(&self, coding: &str, decoder: impl Read) -> Result<Cow<'a, [u8]>, Failure> {
        let mut message = Vec::new();
        let outcome = decoder.take(self.most as u64 + 1).read_to_end(&mut message);
        if message.len() > self.most {
            let most = self.most;
            return Err(Failure::protocol(format!("a message has more than the {most} bytes of `max_message`")));
        }
        outcome.map_err(|_| Failure::protocol(format!("a message is not in `{coding}`, as the reply says")))?;
        Ok(Cow::Owned(message))
    }
}

/// A parser of a reply's messages.
#[derive(Debug)]
pub(crate) struct Frames {
    received: Vec<u8>,
    /// The start of the next message in it.
    at: usize,
    /// The largest message to accept, in bytes.
    most: usize,
    /// The `grpc-encoding` of the reply.
    coding: String,
}

impl Frames {
    /// Creates a parser that accepts messages of at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { received: Vec::new(), at: 0, most, coding: String::new() }
    }

    /// Sets the coding of compressed messages, by the reply's `grpc-encoding`.
    pub(crate) fn set_coding(&mut self, coding: Option<String>) {
        self.coding = coding.unwrap_or_default().trim().to_ascii_lowercase();
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.received.drain(..self.at);
        self.at = 0;
        self.received.extend_from_slice(piece);
    }

    /// Returns the next message, if all of it has arrived.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, Failure> {
        let Some((prefix, rest)) = self.received[self.at..].split_first_chunk::<PREFIX>() else { return Ok(None) };
        let [flag, length @ ..] = *prefix;
        let length = u32::from_be_bytes(length) as usize;
        match flag {
            0 => {}
            1 if matches!(self.coding.as_str(), "" | "identity") => {
                return Err(Failure::protocol("a message is compressed, and the reply names no `grpc-encoding`"));
            }
            1 => {}
            flag => return Err(Failure::protocol(format!("a message begins with {flag} instead of 0 or 1"))),
        }
        if length > self.most {
            let most = self.most;
            return Err(Failure::protocol(format!(
                "a message has {length} bytes, more than the {most} of `max_message`"
            )));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let begin = self.at + PREFIX;
        self.at = begin + length;
        let coding = (flag == 1).then_some(self.coding.as_str());
        Ok(Some(Frame { bytes: &self.received[begin..self.at], coding, most: self.most }))
    }

    /// Returns `true` if only a part of the next message has arrived.
    pub(crate) fn is_cut(&self) -> bool {
        self.at < self.received.len()
    }

    /// Creates the failure of a reply that ends within a message.
    pub(crate) fn cut() -> Failure {
        Failure::protocol("the reply ended within a message")
    }
}

/// Puts flag and length before a message.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; PREFIX];
    frame[1..].copy_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn messages_are_the_same_wherever_they_are_cut() {
        let stream = [framed(b"one"), framed(b""), framed(b"three"), vec![0, 0]].concat();
        for size in [1, 2, 5, 7, 100] {
            let (mut frames, mut read) = (Frames::new(5), Vec::new());
            for piece in stream.chunks(size) {
                frames.push(piece);
                while let Some(message) = frames.next().expect("messages") {
                    read.push(message.message().expect("a message").into_owned());
                }
            }
            assert_eq!(read, [b"one".as_slice(), b"", b"three"], "pieces of {size}");
            assert!(frames.is_cut());
        }
    }

    #[test]
    fn an_invalid_message_is_rejected_at_its_first_bytes() {
        for (bytes, text) in [
            (b"HTTP/", "a message begins with 72 instead of 0 or 1"),
            (b"\0\0\0\0\x06", "a message has 6 bytes, more than the 5 of `max_message`"),
        ] {
            let mut frames = Frames::new(5);
            frames.push(bytes);
            assert_eq!(frames.next(), Err(Failure::protocol(text)));
        }
    }

    fn compressed(message: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(message).and_then(|()| encoder.finish()).expect("memory")
    }

    fn read(coding: Option<&str>, message: &[u8], most: usize) -> Result<Vec<u8>, Failure> {
        let mut frames = Frames::new(most);
        frames.set_coding(coding.map(str::to_owned));
        let mut frame = framed(message);
        frame[0] = 1;
        frames.push(&frame);
        Ok(frames.next()?.expect("a whole message").message()?.into_owned())
    }

    #[test]
    fn compressed_messages_are_decompressed() {
        let hello = compressed(&b"hello".repeat(100));
        assert_eq!(read(Some("gzip"), &hello, 500), Ok(b"hello".repeat(100)));
        for (coding, message, most, text) in [
            (Some("gzip"), &hello[..], 499, "a message has more than the 499 bytes of `max_message`"),
            (Some("gzip"), b"hello", 500, "a message is not in `gzip`, as the reply says"),
            (Some("snappy"), b"hello", 500, "a message is compressed in `snappy`, which is not supported"),
            (None, b"hello", 500, "a message is compressed, and the reply names no `grpc-encoding`"),
        ] {
            assert_eq!(read(coding, message, most), Err(Failure::protocol(text)));
        }
    }
}
