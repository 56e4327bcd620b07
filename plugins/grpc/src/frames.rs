//! Messages on the wire: a flag, a length in four bytes, and the message, cut anywhere into pieces.

use stampede_plugin::Failure;

/// The bytes of flag and length.
const PREFIX: usize = 5;

/// A parser of a reply's messages.
#[derive(Debug)]
pub(crate) struct Frames {
    received: Vec<u8>,
    /// The start of the next message in it.
    at: usize,
    /// The largest message to accept, in bytes.
    most: usize,
}

impl Frames {
    /// Creates a parser that accepts messages of at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { received: Vec::new(), at: 0, most }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.received.drain(..self.at);
        self.at = 0;
        self.received.extend_from_slice(piece);
    }

    /// Returns the next message, if all of it has arrived.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Failure> {
        let Some((prefix, rest)) = self.received[self.at..].split_first_chunk::<PREFIX>() else { return Ok(None) };
        let [flag, length @ ..] = *prefix;
        let length = u32::from_be_bytes(length) as usize;
        match flag {
            0 => {}
            1 => return Err(Failure::protocol("a message is compressed, which was not asked for")),
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
        Ok(Some(&self.received[begin..self.at]))
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
    use super::*;

    #[test]
    fn messages_are_the_same_wherever_they_are_cut() {
        let stream = [framed(b"one"), framed(b""), framed(b"three"), vec![0, 0]].concat();
        for size in [1, 2, 5, 7, 100] {
            let (mut frames, mut read) = (Frames::new(5), Vec::new());
            for piece in stream.chunks(size) {
                frames.push(piece);
                while let Some(message) = frames.next().expect("messages") {
                    read.push(message.to_vec());
                }
            }
            assert_eq!(read, [b"one".as_slice(), b"", b"three"], "pieces of {size}");
            assert!(frames.is_cut());
        }
    }

    #[test]
    fn an_invalid_message_is_rejected_at_its_first_bytes() {
        for (bytes, text) in [
            (b"\x01\0\0\0\x01", "a message is compressed, which was not asked for"),
            (b"HTTP/", "a message begins with 72 instead of 0 or 1"),
            (b"\0\0\0\0\x06", "a message has 6 bytes, more than the 5 of `max_message`"),
        ] {
            let mut frames = Frames::new(5);
            frames.push(bytes);
            assert_eq!(frames.next(), Err(Failure::protocol(text)));
        }
    }
}
