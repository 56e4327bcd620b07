//! The content of a reply: kept on request, and decoded, whether a coding was asked for or not. The decoded size is
//! limited as well, because a few kilobytes can decode to gigabytes.

use std::io::Read;
use std::rc::Rc;

use brotli_decompressor::Decompressor;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;

use super::allowance::Allowance;
use super::body_budget::BudgetPart;
use super::client::Client;
use super::header_section::HeaderSection;
use crate::metrics::shown_exchange::MAX_TEXT_BYTES;
use crate::net::Failure;

/// The content codings that are asked for, in `accept-encoding`.
pub(super) const ACCEPTED_CODINGS: &str = "gzip, deflate, br";

/// Maximum number of codings of one reply; no server applies more than two.
const MAX_CODINGS: usize = 4;

/// Content that is kept.
#[derive(Debug, Default)]
pub(super) struct KeptBody {
    /// The content.
    pub content: Bytes,
    /// The beginning of content that is only shown.
    pub excerpt: Bytes,
    /// Its part of the memory for contents.
    pub held: BudgetPart,
}

/// Collects content up to a limit.
pub(super) struct BodyCollector {
    /// The most bytes to keep.
    limit: usize,
    /// The allowance that arriving content is taken from.
    allowance: Allowance,
    content: Vec<u8>,
    /// The part of the run's memory for contents that it takes.
    held: BudgetPart,
    /// The failure for a limit that was exceeded, after which all content is dropped.
    exceeded: Option<Failure>,
    /// True if content over the limit counts as empty.
    is_optional: bool,
    /// True if only the beginning is kept, to be shown; the rest passes by.
    is_excerpt: bool,
}

impl BodyCollector {
    /// Creates a collector of content, if it is kept within an allowance: at most as much as the client keeps of one
    /// reply, and no more than the allowance and the budget have left. Content over the limit `optional` is dropped.
    pub(super) fn of(keep: Option<&Allowance>, optional: Option<usize>, client: &Client) -> Option<Self> {
        let mut collector = Self::new(optional.unwrap_or(client.max_body_kept), keep?);
        collector.held = client.body_budget.part();
        collector.is_optional = optional.is_some();
        Some(collector)
    }

    fn new(limit: usize, allowance: &Allowance) -> Self {
        let allowance = Rc::clone(allowance);
        Self {
            limit,
            allowance,
            content: Vec::new(),
            held: BudgetPart::default(),
            exceeded: None,
            is_optional: false,
            is_excerpt: false,
        }
    }

    /// Creates a collector of the beginning of content that is only shown. It takes nothing from an allowance, and its
    /// size is small enough for the budget to leave it out.
    pub(super) fn excerpt(client: &Client) -> Self {
        let mut collector = Self::new(MAX_TEXT_BYTES, &client.no_allowance);
        collector.is_excerpt = true;
        collector
    }

    /// Adds a piece of content.
    pub(super) fn push(&mut self, data: &[u8]) {
        if self.is_excerpt {
            let left = self.limit - self.content.len();
            return self.content.extend_from_slice(&data[..data.len().min(left)]);
        }
        if self.exceeded.is_some() {
            return;
        }
        match self.reserve(data.len()) {
            Ok(()) => self.content.extend_from_slice(data),
            Err(exceeded) => {
                self.allowance.set(self.allowance.get() + self.content.len());
                (self.exceeded, self.content, self.held) = (Some(exceeded), Vec::new(), BudgetPart::default());
            }
        }
    }

    /// Takes the memory for more content.
    fn reserve(&mut self, more: usize) -> Result<(), Failure> {
        let (left, size) = (self.allowance.get(), self.content.len() + more);
        if size > self.limit || more > left {
            return Err(too_large(self.limit.min(left + self.content.len())));
        }
        self.held.resize(size)?;
        self.allowance.set(left - more);
        Ok(())
    }

    /// Returns the content.
    ///
    /// # Errors
    /// The content was larger than the limit, the allowance or the budget.
    pub(super) fn finish(mut self) -> Result<KeptBody, Failure> {
        match self.exceeded.take() {
            Some(exceeded) if !self.is_optional => Err(exceeded),
            _ if self.is_excerpt => {
                Ok(KeptBody { excerpt: std::mem::take(&mut self.content).into(), ..KeptBody::default() })
            }
            _ => {
                let (content, held) = (std::mem::take(&mut self.content).into(), std::mem::take(&mut self.held));
                Ok(KeptBody { content, excerpt: Bytes::new(), held })
            }
        }
    }
}

/// Content that does not become part of a reply goes back to the allowance.
impl Drop for BodyCollector {
    fn drop(&mut self) {
        self.allowance.set(self.allowance.get() + self.content.len());
    }
}

/// The reason why content is not decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// It is larger than the limit, encoded or decoded.
    TooLarge(Failure),
    /// It is not in this coding, or the coding is not supported.
    Undecodable(Failure),
}

/// Returns the codings that the header section names, the first applied first.
pub(super) fn codings(headers: &HeaderSection) -> impl Iterator<Item = &[u8]> {
    let names = headers.get_all("content-encoding").flat_map(|field| field.split(|&byte| byte == b','));
    names.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"))
}

/// Decodes content by the codings that the header section names, the last one first.
pub(super) fn decode(headers: &HeaderSection, content: Bytes, limit: usize) -> Result<Bytes, DecodeError> {
    if content.is_empty() {
        return Ok(content);
    }
    let names: Vec<_> = codings(headers).collect();
    if names.len() > MAX_CODINGS {
        return Err(DecodeError::Undecodable(Failure::protocol("too many content codings")));
    }
    names.iter().rev().try_fold(content, |content, name| decode_one(name, content, limit))
}

/// Decodes one coding (RFC 9110 section 8.4.1).
fn decode_one(coding: &[u8], content: Bytes, limit: usize) -> Result<Bytes, DecodeError> {
    match coding.to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" => read("gzip", MultiGzDecoder::new(&content[..]), limit),
        b"deflate" if has_zlib_header(&content) => read("deflate", ZlibDecoder::new(&content[..]), limit),
        b"deflate" => read("deflate", DeflateDecoder::new(&content[..]), limit),
        b"br" => read("br", Decompressor::new(&content[..], 4096), limit),
        b"zstd" => match StreamingDecoder::new(&content[..]) {
            Ok(decoder) => read("zstd", decoder, limit),
            Err(_) => Err(malformed("zstd")),
        },
        _ => Err(DecodeError::Undecodable(Failure::protocol("unknown content coding"))),
    }
}

fn malformed(coding: &str) -> DecodeError {
    DecodeError::Undecodable(Failure::protocol(format!("malformed reply: invalid {coding} content")))
}

/// Returns `true` if the content has the zlib wrapper that RFC 9110 section 8.4.1.2 requires of `deflate`. Some servers
/// omit it.
fn has_zlib_header(content: &[u8]) -> bool {
    matches!(content, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31))
}

/// Reads a decoder to its end, or to one byte more than the limit.
fn read(coding: &str, decoder: impl Read, limit: usize) -> Result<Bytes, DecodeError> {
    let mut decoded = Vec::new();
    let outcome = decoder.take(limit as u64 + 1).read_to_end(&mut decoded);
    if decoded.len() > limit {
        return Err(DecodeError::TooLarge(too_large(limit)));
    }
    outcome.map(|_| decoded.into()).map_err(|_| malformed(coding))
}

fn too_large(limit: usize) -> Failure {
    Failure::protocol(format!("reply content over the limit of {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    /// `hello` in Brotli.
    const HELLO_BR: &[u8] = &[0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];

    /// `hello` in Zstandard: a frame with one raw block.
    const HELLO_ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x05, 0x29, 0x00, 0x00, b'h', b'e', b'l', b'l', b'o'];

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(content: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(codings: &str, content: Vec<u8>, limit: usize) -> Result<Bytes, String> {
        let headers = [("content-encoding", codings.as_bytes())].into_iter().collect();
        decode(&headers, content.into(), limit).map_err(|error| match error {
            DecodeError::TooLarge(failure) | DecodeError::Undecodable(failure) => failure.to_string(),
        })
    }

    #[test]
    fn codings_are_decoded() {
        for (case, codings, content) in [
            ("gzip", "gzip", gzip(b"hello")),
            ("its old name, in capitals", "X-GZIP", gzip(b"hello")),
            ("two members", "gzip", [gzip(b"hel"), gzip(b"lo")].concat()),
            ("deflate with its wrapper", "deflate", zlib(b"hello")),
            ("deflate without wrapper", "deflate", deflate(b"hello")),
            ("brotli", "br", HELLO_BR.to_vec()),
            ("zstd", "zstd", HELLO_ZSTD.to_vec()),
            ("no coding", "identity", b"hello".to_vec()),
            ("one after the other", "br, gzip", gzip(HELLO_BR)),
        ] {
            assert_eq!(decoded(codings, content, HELLO_BR.len()).as_deref(), Ok(&b"hello"[..]), "{case}");
        }
    }

    #[test]
    fn undecodable_content_is_a_failure() {
        let over = "reply content over the limit of 1000 bytes";
        let cut = |mut content: Vec<u8>| {
            content.truncate(content.len() - 3);
            content
        };
        for (case, codings, content, message) in [
            ("bomb", "gzip", gzip(&vec![0; 1 << 20]), over),
            ("bomb in a bomb", "gzip, gzip", gzip(&gzip(&vec![0; 1 << 20])), over),
            ("one byte too many", "deflate", zlib(&[7; 1_001]), over),
            ("cut gzip", "gzip", cut(gzip(b"hello")), "malformed reply: invalid gzip content"),
            ("cut brotli", "br", cut(HELLO_BR.to_vec()), "malformed reply: invalid br content"),
            ("not gzip", "gzip", b"hello".to_vec(), "malformed reply: invalid gzip content"),
            ("not zstd", "zstd", b"hello".to_vec(), "malformed reply: invalid zstd content"),
            ("not supported", "compress", b"hello".to_vec(), "unknown content coding"),
            ("too many", "br,br,br,br,br", b"hello".to_vec(), "too many content codings"),
        ] {
            assert_eq!(decoded(codings, content, 1_000), Err(message.to_owned()), "{case}");
        }
    }

    #[test]
    fn content_is_kept_up_to_the_limit() {
        for (case, pieces, kept) in [
            ("nothing", &[][..], Some("")),
            ("one piece", &["hello"][..], Some("hello")),
            ("several pieces", &["he", "l", "lo"], Some("hello")),
            ("a piece too large", &["hello!"], None),
            ("one too many", &["he", "llo", "!", "x"], None),
        ] {
            for (limit, allowed) in [(5, 100), (100, 5)] {
                let allowance = Allowance::new(Cell::new(allowed));
                let mut content = BodyCollector::new(limit, &allowance);
                pieces.iter().for_each(|piece| content.push(piece.as_bytes()));
                assert_eq!(
                    content.finish().ok().map(|kept| kept.content).as_deref(),
                    kept.map(str::as_bytes),
                    "{case}"
                );
                assert_eq!(allowance.get(), allowed - kept.map_or(0, str::len), "{case}");
            }
        }
    }

    #[test]
    fn two_replies_share_an_allowance() {
        let allowance = Allowance::new(Cell::new(5));
        let (mut one, mut other) = (BodyCollector::new(100, &allowance), BodyCollector::new(100, &allowance));
        one.push(b"hel");
        other.push(b"lo!");
        assert!(other.finish().is_err());
        one.push(b"lo");
        assert_eq!(one.finish().map(|kept| kept.content).as_deref(), Ok(&b"hello"[..]));
    }
}
