//! The form of counts on the wire: a head, a body, and a check sum. A body that is too long for one message is cut into
//! parts, each with the whole head.
//!
//! ```text
//! "SF" version kind | run node (length, bytes) | segment epoch term | seq_from seq_to | second_from second_to
//! | until age | end | part parts | length of the body | body | CRC-32 of all before
//! ```
//!
//! Numbers are little-endian and of fixed size. Nothing that is read is trusted: every length is compared with what is
//! there and with a limit before memory is taken.

use std::fmt;

use crate::message::{EndCause, Sender};
use crate::names::{MAX_NAME, NodeName, RunId};
use crate::time::Time;

/// The longest message of a parcel, in bytes: NATS takes 1 MiB.
pub const MAX_PAYLOAD: usize = 900 << 10;

/// The longest body, all parts together.
pub const MAX_BODY: usize = 16 << 20;

/// The version of this form.
const VERSION: u8 = 1;

/// The bytes that begin a parcel.
const MAGIC: [u8; 2] = *b"SF";

/// The greatest length of a head and a check sum.
const MAX_HEAD: usize = 4 + 2 * (1 + MAX_NAME) + 4 + 4 * 8 + 2 * 4 + 2 * 8 + 1 + 2 * 2 + 4 + 4;

/// The bytes of a body in one part.
const MAX_PART: usize = MAX_PAYLOAD - MAX_HEAD;

/// The kinds of parcels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParcelKind {
    /// The counts of some seconds.
    Frame,
    /// All counts so far, for a new coordinator.
    Snapshot,
    /// All counts of a node whose load has ended.
    Final,
}

const KINDS: [ParcelKind; 3] = [ParcelKind::Frame, ParcelKind::Snapshot, ParcelKind::Final];

/// The head of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelHead {
    /// The kind.
    pub kind: ParcelKind,
    /// The run.
    pub run: RunId,
    /// The sender.
    pub sender: Sender,
    /// The term of the coordinator that asked for a snapshot; 0 in other parcels.
    pub term: u64,
    /// The first number of the frames that are inside; 1 in a snapshot and a final parcel.
    pub seq_from: u64,
    /// The last number of those.
    pub seq_to: u64,
    /// The first second that is inside, from the start of the load.
    pub second_from: u32,
    /// The second after the last one that is inside.
    pub second_end: u32,
    /// The instant, from the start of the load, before which everything that was due is inside.
    pub until: Time,
    /// The age of the load when a snapshot was sent; 0 in other parcels.
    pub age: Time,
    /// The reason for the end in a final parcel.
    pub end: EndCause,
}

/// A part of a parcel, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct ParcelPart<'a> {
    /// The head, equal in all parts.
    pub head: ParcelHead,
    /// The number of this part, from 0.
    pub part: u16,
    /// The number of all parts.
    pub parts: u16,
    /// The part of the body.
    pub body: &'a [u8],
}

/// Reasons why bytes are not a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParcelError {
    /// They end early, or go on.
    Length,
    /// They do not begin as a parcel.
    Magic,
    /// They are of another version of this form.
    Version(u8),
    /// The check sum differs.
    Checksum,
    /// A number or name is not valid.
    Value,
}

/// Returns the messages of a parcel: one, unless the body is long. `None` if the body is longer than [`MAX_BODY`].
pub fn encode(head: &ParcelHead, body: &[u8]) -> Option<Vec<Vec<u8>>> {
    if body.len() > MAX_BODY {
        return None;
    }
    let parts = u16::try_from(body.len().div_ceil(MAX_PART).max(1)).ok()?;
    let part = |part: u16| {
        let begin = usize::from(part) * MAX_PART;
        one_part(head, part, parts, &body[begin..body.len().min(begin + MAX_PART)])
    };
    Some((0..parts).map(part).collect())
}

fn one_part(head: &ParcelHead, part: u16, parts: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(MAX_HEAD + body.len());
    out.extend(MAGIC);
    out.push(VERSION);
    out.push(KINDS.iter().position(|kind| *kind == head.kind).unwrap_or(0) as u8);
    for name in [head.run.as_str(), head.sender.node.as_str()] {
        out.push(name.len() as u8);
        out.extend(name.as_bytes());
    }
    out.extend(head.sender.segment.to_le_bytes());
    for number in [head.sender.epoch, head.term, head.seq_from, head.seq_to] {
        out.extend(number.to_le_bytes());
    }
    out.extend(head.second_from.to_le_bytes());
    out.extend(head.second_end.to_le_bytes());
    out.extend(head.until.to_le_bytes());
    out.extend(head.age.to_le_bytes());
    out.push(EndCause::ALL.iter().position(|end| *end == head.end).unwrap_or(0) as u8);
    out.extend(part.to_le_bytes());
    out.extend(parts.to_le_bytes());
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out
}

/// Takes numbers and names off the front of bytes.
struct HeadReader<'a>(&'a [u8]);

impl<'a> HeadReader<'a> {
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], ParcelError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ParcelError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ParcelError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(ParcelError::Length)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, ParcelError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, ParcelError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, ParcelError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ParcelError> {
        self.array().map(u64::from_le_bytes)
    }

    fn name(&mut self) -> Result<&'a str, ParcelError> {
        let length = usize::from(self.byte()?);
        std::str::from_utf8(self.bytes(length)?).map_err(|_| ParcelError::Value)
    }
}

impl<'a> ParcelPart<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// The bytes are not a part of a parcel.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, ParcelError> {
        if bytes.len() > MAX_PAYLOAD {
            return Err(ParcelError::Length);
        }
        let (content, sum) = bytes.split_last_chunk::<4>().ok_or(ParcelError::Length)?;
        let mut reader = HeadReader(content);
        if reader.array()? != MAGIC {
            return Err(ParcelError::Magic);
        }
        let version = reader.byte()?;
        if version != VERSION {
            return Err(ParcelError::Version(version));
        }
        if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return Err(ParcelError::Checksum);
        }
        let head = Self::head(&mut reader)?;
        let (part, parts) = (reader.u16()?, reader.u16()?);
        let length = reader.u32()?;
        if part >= parts || usize::from(parts) > MAX_BODY.div_ceil(MAX_PART) {
            return Err(ParcelError::Value);
        }
        if u32::try_from(reader.0.len()) != Ok(length) || reader.0.len() > MAX_PART {
            return Err(ParcelError::Length);
        }
        Ok(Self { head, part, parts, body: reader.0 })
    }

    fn head(reader: &mut HeadReader<'a>) -> Result<ParcelHead, ParcelError> {
        let kind = *KINDS.get(usize::from(reader.byte()?)).ok_or(ParcelError::Value)?;
        let run = RunId::new(reader.name()?).map_err(|_| ParcelError::Value)?;
        let node = NodeName::new(reader.name()?).map_err(|_| ParcelError::Value)?;
        let sender = Sender { node, segment: reader.u32()?, epoch: reader.u64()? };
        let head = ParcelHead {
            kind,
            run,
            sender,
            term: reader.u64()?,
            seq_from: reader.u64()?,
            seq_to: reader.u64()?,
            second_from: reader.u32()?,
            second_end: reader.u32()?,
            until: reader.u64()?,
            age: reader.u64()?,
            end: *EndCause::ALL.get(usize::from(reader.byte()?)).ok_or(ParcelError::Value)?,
        };
        let is_ordered = head.second_from <= head.second_end && head.seq_from > 0;
        // A node that ended before its first frame has none to sum up.
        let is_numbered = head.seq_from <= head.seq_to || head.kind != ParcelKind::Frame && head.seq_to == 0;
        if is_ordered && is_numbered { Ok(head) } else { Err(ParcelError::Value) }
    }
}

impl fmt::Display for ParcelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("counts with a wrong length"),
            Self::Magic => f.write_str("bytes that are not counts"),
            Self::Version(version) => write!(f, "counts in form {version}, expected {VERSION}"),
            Self::Checksum => f.write_str("counts with a wrong check sum"),
            Self::Value => f.write_str("counts with a wrong head"),
        }
    }
}

impl std::error::Error for ParcelError {}
