//! The framing of a reply, which tells where its content ends (RFC 9112 sections 6 and 7). Pure: bytes in, pieces of
//! content out.

use crate::net::Failure;

/// Maximum number of bytes of chunk extensions and trailers of one reply; both are read and ignored.
const MAX_OVERHEAD: usize = 64 * 1024;

/// The content that is still to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked(ChunkedDecoder),
    /// All bytes until the connection ends.
    UntilClosed,
}

impl Framing {
    /// Returns `true` if no more content is to come.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.next == ChunkState::Done,
            Self::UntilClosed => false,
        }
    }

    /// Takes bytes that have arrived and passes the content in them on. Returns the number of bytes that belong to this
    /// reply.
    pub(super) fn decode(&mut self, input: &[u8], content: &mut impl FnMut(&[u8])) -> Result<usize, Failure> {
        match self {
            Self::UntilClosed => {
                content(input);
                Ok(input.len())
            }
            Self::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                content(&input[..count]);
                *left -= count as u64;
                Ok(count)
            }
            Self::Chunked(chunks) => chunks.decode(input, content),
        }
    }
}

/// Decoder of chunked content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ChunkedDecoder {
    next: ChunkState,
    /// Bytes of extensions and trailers so far.
    overhead: usize,
}

/// The part of chunked content that comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ChunkState {
    /// The first digit of a chunk's size.
    #[default]
    Size,
    /// Further digits of it.
    Digits(u64),
    /// The rest of the line after the size: blanks and extensions.
    Extension(u64),
    /// The line feed after the size.
    SizeEnd(u64),
    /// Content.
    Data(u64),
    /// The line end after a chunk.
    DataEnd,
    /// Its line feed.
    DataFeed,
    /// A line after the last chunk begins: a trailer, or the empty line that ends the reply.
    Trailer,
    /// The rest of a trailer's line.
    TrailerRest,
    /// The line feed of the empty line.
    LastFeed,
    /// The reply is complete.
    Done,
}

impl ChunkedDecoder {
    fn decode(&mut self, input: &[u8], content: &mut impl FnMut(&[u8])) -> Result<usize, Failure> {
        let mut at = 0;
        while at < input.len() && self.next != ChunkState::Done {
            if let ChunkState::Data(left) = self.next {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(input.len() - at);
                content(&input[at..at + count]);
                at += count;
                let left = left - count as u64;
                self.next = if left == 0 { ChunkState::DataEnd } else { ChunkState::Data(left) };
            } else {
                self.next = self.after(input[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// Returns the state after a byte that is not content.
    fn after(&mut self, byte: u8) -> Result<ChunkState, Failure> {
        let invalid = || Failure::protocol("malformed reply: invalid chunk");
        let digit = char::from(byte).to_digit(16).map(u64::from);
        Ok(match (self.next, byte) {
            (ChunkState::Size, _) => ChunkState::Digits(digit.ok_or_else(invalid)?),
            (ChunkState::Digits(size), _) if digit.is_some() => {
                let larger = size.checked_mul(16).and_then(|size| size.checked_add(digit?));
                ChunkState::Digits(larger.ok_or_else(invalid)?)
            }
            (ChunkState::Digits(size) | ChunkState::Extension(size), b'\r') => ChunkState::SizeEnd(size),
            (ChunkState::Digits(size), b' ' | b'\t' | b';') => ChunkState::Extension(size),
            (ChunkState::Digits(size) | ChunkState::Extension(size) | ChunkState::SizeEnd(size), b'\n') => {
                Self::data(size)
            }
            (ChunkState::Extension(size), _) => self.count_overhead(ChunkState::Extension(size))?,
            (ChunkState::DataEnd, b'\r') => ChunkState::DataFeed,
            (ChunkState::DataEnd | ChunkState::DataFeed, b'\n') => ChunkState::Size,
            (ChunkState::Trailer, b'\r') => ChunkState::LastFeed,
            (ChunkState::Trailer | ChunkState::LastFeed, b'\n') => ChunkState::Done,
            (ChunkState::TrailerRest, b'\n') => ChunkState::Trailer,
            (ChunkState::Trailer | ChunkState::TrailerRest, _) => self.count_overhead(ChunkState::TrailerRest)?,
            _ => return Err(invalid()),
        })
    }

    fn data(size: u64) -> ChunkState {
        if size == 0 { ChunkState::Trailer } else { ChunkState::Data(size) }
    }

    fn count_overhead(&mut self, next: ChunkState) -> Result<ChunkState, Failure> {
        self.overhead += 1;
        if self.overhead > MAX_OVERHEAD {
            return Err(Failure::protocol("malformed reply: chunk extensions or trailers too large"));
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes chunks that arrive in pieces of this size. Returns the content, the bytes taken, and whether it is done.
    fn chunked(text: &[u8], piece: usize) -> Result<(Vec<u8>, usize, bool), Failure> {
        let (mut framing, mut content, mut taken) = (Framing::Chunked(ChunkedDecoder::default()), Vec::new(), 0);
        for part in text.chunks(piece) {
            let count = framing.decode(part, &mut |data| content.extend_from_slice(data))?;
            taken += count;
            if count < part.len() {
                break;
            }
        }
        Ok((content, taken, framing.is_done()))
    }

    #[test]
    fn chunks_are_decoded_in_pieces_of_any_size() {
        for (case, text, content, rest) in [
            ("one", "2\r\nok\r\n0\r\n\r\n", "ok", ""),
            ("several, hexadecimal", "1\r\no\r\nA\r\n0123456789\r\n0\r\n\r\n", "o0123456789", ""),
            ("extensions", "2;x=\"y\";z\r\nok\r\n0 ;x\r\n\r\n", "ok", ""),
            ("trailers", "2\r\nok\r\n0\r\nx: y\r\nz:\r\n\r\n", "ok", ""),
            ("bare line feeds", "2\nok\n0\n\n", "ok", ""),
            ("the next reply is left", "2\r\nok\r\n0\r\n\r\nHTTP/1.1", "ok", "HTTP/1.1"),
            ("none", "0\r\n\r\n", "", ""),
        ] {
            for piece in [1, 2, 3, 7, 100] {
                let expected = (content.as_bytes().to_vec(), text.len() - rest.len(), true);
                assert_eq!(chunked(text.as_bytes(), piece), Ok(expected), "{case} by {piece}");
            }
        }
    }

    #[test]
    fn malformed_chunks_are_rejected() {
        for text in
            ["x", "\r\n", "2x\r\n", "2\rx", "2\r\nokx", "2\r\nok\rx", "10000000000000000\r\n", "0\r\n\rx", "-1\r\n"]
        {
            assert_eq!(chunked(text.as_bytes(), 100).unwrap_err().detail, "malformed reply: invalid chunk", "{text}");
        }
        for text in ["1;", "0\r\nx:"] {
            let endless = [text.as_bytes(), &[b'y'; MAX_OVERHEAD + 1]].concat();
            assert!(chunked(&endless, 1000).unwrap_err().detail.ends_with("too large"), "{text}");
        }
        assert_eq!(chunked(b"5\r\nhal", 100), Ok((b"hal".to_vec(), 6, false)));
    }

    #[test]
    fn a_length_leaves_the_bytes_that_follow() {
        let mut framing = Framing::Length(3);
        assert_eq!(framing.decode(b"ab", &mut |_| ()), Ok(2));
        assert!(!framing.is_done());
        assert_eq!(framing.decode(b"cd", &mut |_| ()), Ok(1));
        assert!(framing.is_done());
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_a_panic(text in "[0-9a-f;x \r\n]{0,200}", piece in 1_usize..50) {
            let text = text.as_bytes();
            // The pieces decide how much is taken before a malformed part, but not the verdict.
            prop_assert_eq!(chunked(text, piece), chunked(text, 200));
        }

        #[test]
        fn chunks_round_trip(parts in proptest::collection::vec("[a-z\r\n0]{1,40}", 0..6), piece in 1_usize..50) {
            let chunks = parts.iter().map(|part| format!("{:x};e\r\n{part}\r\n", part.len())).collect::<String>();
            let text = format!("{chunks}0\r\nx: y\r\n\r\n");
            prop_assert_eq!(chunked(text.as_bytes(), piece), Ok((parts.concat().into_bytes(), text.len(), true)));
        }
    }
}
