//! The head of a reply, parsed with httparse: the framing of the content, and the future of the connection.

use std::mem::MaybeUninit;

use httparse::{Error, Header, ParserConfig, Response, Status};
use hyper::{Method, StatusCode, Version};

use super::super::header_section::{HeaderSection, SET_COOKIE};
use super::framing::{ChunkedDecoder, Framing};
use crate::net::Failure;

/// Maximum size of a header section, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Size in bytes up to which a head is parsed again with each piece, so that a peer that does not speak HTTP is noticed
/// at once.
const REPARSE_UP_TO: usize = 1024;
/// Number of header fields up to which a head is parsed without an allocation. More are limited by their bytes alone.
const USUAL_FIELDS: usize = 100;

/// The head of a reply.
pub(super) struct ReplyHead {
    /// The status.
    pub status: StatusCode,
    /// The version.
    pub version: Version,
    /// The fields.
    pub section: HeaderSection,
    /// Framing of the content.
    pub framing: Framing,
    /// True when the connection can be used again after the content.
    pub keep_alive: bool,
}

/// The header fields that matter to the connection and the framing.
#[derive(Default)]
struct ConnectionFields {
    length: Option<u64>,
    transfer_coding: bool,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    sets_cookies: bool,
}

/// Parses the head of the reply to a request with this method. Returns the head and its length in bytes; `None` if it
/// is not complete.
pub(super) fn parse_head(text: &[u8], method: &Method) -> Result<Option<(ReplyHead, usize)>, Failure> {
    let mut room = [const { MaybeUninit::<Header<'_>>::uninit() }; USUAL_FIELDS];
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, text, &mut room);
    if let Err(Error::TooManyHeaders | Error::HeaderName | Error::HeaderValue) = parsed {
        return parse_unusual_head(text, method);
    }
    let Some(length) = complete(parsed, text)? else { return Ok(None) };
    // The fields begin where httparse found the first name.
    let first = response.headers.first().map_or(length, |field| field.name.as_ptr().addr() - text.as_ptr().addr());
    let fields = ConnectionFields::of(response.headers.iter().map(|field| (field.name, field.value)))?;
    let section = HeaderSection::of_lines(&text[first..length], fields.sets_cookies);
    Ok(Some((fields.head(&response, method, section)?, length)))
}

/// Parses a head with many fields, or with values that go on in the next line (RFC 9112 section 5.2).
fn parse_unusual_head(text: &[u8], method: &Method) -> Result<Option<(ReplyHead, usize)>, Failure> {
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    let mut room = vec![MaybeUninit::<Header<'_>>::uninit(); lines + 1];
    let mut response = Response::new(&mut []);
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let parsed = config.parse_response_with_uninit_headers(&mut response, text, &mut room);
    let Some(length) = complete(parsed, text)? else { return Ok(None) };
    let unfolded: Vec<_> = response.headers.iter().map(|field| (field.name, unfold(field.value))).collect();
    let named = || unfolded.iter().map(|(name, value)| (*name, value.as_slice()));
    let fields = ConnectionFields::of(named())?;
    Ok(Some((fields.head(&response, method, named().collect())?, length)))
}

/// Returns the length of a head that was parsed; `None` if it is not complete.
fn complete(parsed: httparse::Result<usize>, text: &[u8]) -> Result<Option<usize>, Failure> {
    match parsed {
        Ok(Status::Complete(length)) if length <= MAX_HEAD_BYTES => Ok(Some(length)),
        Ok(Status::Partial) if text.len() < MAX_HEAD_BYTES => Ok(None),
        Ok(_) => Err(too_large()),
        Err(error) => Err(malformed(error)),
    }
}

/// Returns a value in one line.
fn unfold(value: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).collect();
    lines.join(&b' ').trim_ascii().to_vec()
}

impl ConnectionFields {
    fn of<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Failure> {
        let mut parsed = Self::default();
        for (name, value) in fields {
            // Comparing the length first saves most comparisons.
            match name.len() {
                10 if name.eq_ignore_ascii_case("connection") => {
                    parsed.close |= has_token(value, b"close");
                    parsed.keep_alive |= has_token(value, b"keep-alive");
                }
                10 => parsed.sets_cookies |= name.eq_ignore_ascii_case(SET_COOKIE),
                14 if name.eq_ignore_ascii_case("content-length") => parsed.add_length(value)?,
                17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                    parsed.transfer_coding = true;
                    let last = value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
                    parsed.chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
                }
                _ => {}
            }
        }
        Ok(parsed)
    }

    /// Returns the head that these fields are of.
    fn head(&self, response: &Response<'_, '_>, method: &Method, section: HeaderSection) -> Result<ReplyHead, Failure> {
        let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or_else(|| malformed(Error::Status))?;
        let old = response.version == Some(0);
        let framing = self.framing(status, method);
        let keep_alive = !self.close
            && (!old || (self.keep_alive && !self.transfer_coding))
            && framing != Framing::UntilClosed
            && status != StatusCode::SWITCHING_PROTOCOLS;
        let version = if old { Version::HTTP_10 } else { Version::HTTP_11 };
        Ok(ReplyHead { status, version, section, framing, keep_alive })
    }

    /// Adds a length. Several are accepted as long as they agree (RFC 9110 section 8.6).
    fn add_length(&mut self, value: &[u8]) -> Result<(), Failure> {
        for part in value.split(|&byte| byte == b',') {
            let length = number(part.trim_ascii());
            if length.is_none() || self.length.is_some_and(|earlier| Some(earlier) != length) {
                return Err(Failure::protocol("malformed reply: invalid content-length"));
            }
            self.length = length;
        }
        Ok(())
    }

    /// Returns the framing of the content (RFC 9112 section 6.3).
    fn framing(&self, status: StatusCode, method: &Method) -> Framing {
        let none = status.is_informational()
            || matches!(status.as_u16(), 204 | 304)
            || method == Method::HEAD
            || (method == Method::CONNECT && status.is_success());
        match self.length {
            _ if none => Framing::Length(0),
            _ if self.chunked => Framing::Chunked(ChunkedDecoder::default()),
            Some(length) if !self.transfer_coding => Framing::Length(length),
            _ => Framing::UntilClosed,
        }
    }
}

/// Returns `true` if the beginning of a head, which had `length_before` bytes before, is worth parsing again. A long
/// head that arrives in small pieces is parsed when its empty line has arrived, not once for each piece.
pub(super) fn is_worth_reading(text: &[u8], length_before: usize) -> bool {
    !(REPARSE_UP_TO..MAX_HEAD_BYTES).contains(&text.len()) || may_be_complete(text, length_before)
}

/// Returns `true` if an empty line ends within the bytes after `length_before`, so that a head may be complete.
fn may_be_complete(text: &[u8], length_before: usize) -> bool {
    let new = &text[length_before.saturating_sub(3)..];
    new.windows(2).any(|pair| pair == b"\n\n") || new.windows(3).any(|three| three == b"\n\r\n")
}

/// Parses a decimal number: one digit or more, and nothing else.
fn number(text: &[u8]) -> Option<u64> {
    let first = text.first().map(|_| 0_u64);
    text.iter().fold(first, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number?.checked_mul(10)?.checked_add(digit)
    })
}

/// Returns `true` if a comma-separated list contains the token.
pub(super) fn has_token(list: &[u8], token: &[u8]) -> bool {
    // Most lists have one token.
    list.eq_ignore_ascii_case(token)
        || list.split(|&byte| byte == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(token))
}

fn too_large() -> Failure {
    Failure::protocol("header section too large")
}

fn malformed(error: Error) -> Failure {
    match error {
        Error::TooManyHeaders => too_large(),
        Error::Version => Failure::protocol("malformed reply: invalid version"),
        Error::Status => Failure::protocol("malformed reply: invalid status"),
        Error::HeaderName | Error::HeaderValue | Error::NewLine | Error::Token => {
            Failure::protocol("malformed reply: invalid header")
        }
    }
}

/// Parses a reply to a request with this method: its head, and its content in small pieces. For the fuzz targets.
pub(in crate::http) fn fuzz_reply(bytes: &[u8], method: &Method) {
    const PIECE: usize = 7;
    let Ok(Some((mut head, length))) = parse_head(bytes, method) else { return };
    let (mut received, mut left) = (0, &bytes[length..]);
    while !left.is_empty() && !head.framing.is_done() {
        let piece = &left[..left.len().min(PIECE)];
        let Ok(taken) = head.framing.decode(piece, &mut |content| received += content.len()) else { return };
        assert!(taken <= piece.len() && received <= bytes.len(), "content is a part of what arrived");
        if taken < piece.len() {
            return;
        }
        left = &left[taken..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(fields: &str, status: u16, method: &Method) -> ReplyHead {
        let text = format!("HTTP/1.1 {status} x\r\n{fields}\r\nrest");
        let (head, length) = parse_head(text.as_bytes(), method).unwrap().unwrap();
        assert_eq!(length, text.len() - 4);
        head
    }

    #[test]
    fn the_head_decides_framing_and_keep_alive() {
        let chunked = || Framing::Chunked(ChunkedDecoder::default());
        for (fields, status, framing, keep_alive) in [
            ("content-length: 7\r\n", 200, Framing::Length(7), true),
            ("content-length: 7\r\nContent-Length: 7, 7\r\n", 200, Framing::Length(7), true),
            ("transfer-encoding: chunked\r\n", 200, chunked(), true),
            ("transfer-encoding: gzip, Chunked\r\ncontent-length: 7\r\n", 200, chunked(), true),
            ("transfer-encoding: gzip\r\ncontent-length: 7\r\n", 200, Framing::UntilClosed, false),
            ("", 200, Framing::UntilClosed, false),
            ("content-length: 7\r\n", 204, Framing::Length(0), true),
            ("content-length: 7\r\n", 304, Framing::Length(0), true),
            ("connection: foo, Close\r\ncontent-length: 0\r\n", 200, Framing::Length(0), false),
            ("upgrade: websocket\r\n", 101, Framing::Length(0), false),
        ] {
            let head = head(fields, status, &Method::GET);
            assert_eq!((head.framing, head.keep_alive), (framing, keep_alive), "{status} {fields}");
        }
        assert_eq!(head("content-length: 7\r\n", 200, &Method::HEAD).framing, Framing::Length(0));
        assert_eq!(head("", 200, &Method::CONNECT).framing, Framing::Length(0));
    }

    #[test]
    fn folded_values_are_read_as_one_line() {
        let head = head(
            "csp:\r\n    default-src 'self';\r\n\timg-src *\r\nContent-Length:\r\n 7\r\nset-cookie: a=1;\r\n path=/\r\n",
            200,
            &Method::GET,
        );
        assert_eq!(head.section.get("csp"), Some(&b"default-src 'self'; img-src *"[..]));
        assert_eq!(head.section.cookies().collect::<Vec<_>>(), [b"a=1; path=/"]);
        assert_eq!(head.framing, Framing::Length(7));
    }

    #[test]
    fn fields_are_limited_by_their_bytes_and_not_by_their_number() {
        let fields = |count: usize| "a:b\r\n".repeat(count);
        let many = head(&fields(10_000), 200, &Method::GET);
        assert_eq!(many.section.get_all("a").count(), 10_000);
        let text = format!("HTTP/1.1 200 OK\r\n{}\r\n", fields(14_000));
        assert_eq!(parse_head(text.as_bytes(), &Method::GET).err(), Some(too_large()));
    }

    #[test]
    fn http_1_0_ends_the_connection_unless_it_asks_to_keep_it() {
        for (fields, keep_alive) in [("", false), ("connection: keep-alive\r\n", true)] {
            let text = format!("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n{fields}\r\n");
            let (head, _) = parse_head(text.as_bytes(), &Method::GET).unwrap().unwrap();
            assert_eq!((head.keep_alive, head.version), (keep_alive, Version::HTTP_10), "{fields}");
        }
    }

    #[test]
    fn fields_are_those_that_arrived() {
        let head = head("X: y\r\nSet-Cookie: a=1\r\ncontent-length: 0\r\n", 200, &Method::GET);
        assert_eq!(head.section.get("x"), Some(&b"y"[..]));
        assert_eq!(head.section.cookies().collect::<Vec<_>>(), [b"a=1"]);
        assert_eq!(head.section.get("rest"), None);
    }

    #[test]
    fn a_head_in_pieces_is_complete_with_its_last_byte() {
        let folded = "HTTP/1.1 200 OK\r\nx: y\r\n z\r\n\tz\r\n\r\n";
        for whole in ["HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 200 OK\nx: y\n\n", folded] {
            for cut in 1..whole.len() {
                let part = &whole.as_bytes()[..cut];
                assert!(parse_head(part, &Method::GET).is_ok_and(|head| head.is_none()), "{whole:?} to {cut}");
                assert!(!may_be_complete(part, cut - 1), "{whole:?} to {cut}");
            }
            assert!(may_be_complete(whole.as_bytes(), whole.len() - 1), "{whole:?}");
            assert!(parse_head(whole.as_bytes(), &Method::GET).is_ok_and(|head| head.is_some()), "{whole:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(text in heads()) {
            let whole = parse_head(&text, &Method::GET);
            if let Ok(Some((head, length))) = whole {
                prop_assert!(length <= text.len());
                head.section.get("x");
                // One byte less is not enough.
                prop_assert!(!matches!(parse_head(&text[..length - 1], &Method::GET), Ok(Some(_))));
            }
        }
    }

    /// Heads, most of them malformed.
    fn heads() -> impl Strategy<Value = Vec<u8>> {
        let line = proptest::sample::select(vec![
            &b"HTTP/1.1 200 OK"[..],
            b"HTTP/1.0 204",
            b"x: y",
            b" folded",
            b"Set-Cookie: a=1",
            b"content-length: 5",
            b"transfer-encoding: chunked",
            b"connection: close",
            b"",
            b": ",
            b"\xff\x00",
            b"x",
        ]);
        let end = proptest::sample::select(vec![&b"\r\n"[..], b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"]);
        let lines = proptest::collection::vec((line, end), 0..12);
        lines.prop_map(|lines| {
            let text = lines.iter().flat_map(|(line, end)| [*line, *end]).collect::<Vec<_>>().concat();
            [&b"HTTP/1.1 200 OK\r\n"[..], &text].concat()
        })
    }

    #[test]
    fn malformed_lengths_are_rejected() {
        for value in ["-1", "+1", "1 2", "x", "", "1,2", "99999999999999999999"] {
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {value}\r\n\r\n");
            let failure = parse_head(text.as_bytes(), &Method::GET).err().unwrap();
            assert_eq!(failure.detail, "malformed reply: invalid content-length", "{value}");
        }
    }
}
