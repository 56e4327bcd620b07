//! The frames that the server sends, followed header by header. The codec replaces the code of a close frame that must
//! not be sent, and cuts lengths to the machine's word; the report shows the server's own.

use tungstenite::protocol::CloseFrame;

/// The opcode of a close frame (RFC 6455 section 5.2).
const CLOSE: u8 = 8;

/// The most bytes of a frame's header.
const LONGEST_HEADER: usize = 14;

/// Follows the frames of one connection.
#[derive(Debug, Default)]
pub(crate) struct PeerFrames {
    /// The bytes so far of the header that is being read.
    header: Vec<u8>,
    /// Bytes left of the current frame's payload.
    left: u64,
    /// The length of the current frame's payload, or of the last one's.
    length: u64,
    /// The payload of the first close frame, while it is being read and afterwards.
    close: Option<Vec<u8>>,
    /// True while the payload is that of the first close frame.
    is_close: bool,
}

impl PeerFrames {
    /// Adds bytes that have arrived.
    pub(crate) fn add(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                if let Some(close) = self.close.as_mut().filter(|_| self.is_close) {
                    close.extend_from_slice(&bytes[..taken]);
                }
                self.left -= taken as u64;
                bytes = &bytes[taken..];
                continue;
            }
            self.header.push(*first);
            bytes = rest;
            if let Some(length) = payload_length(&self.header) {
                self.begin(length);
            }
        }
    }

    /// Begins the payload whose header is complete.
    fn begin(&mut self, length: u64) {
        // A close frame has at most 125 bytes; a longer one is rejected by the codec, and not kept.
        self.is_close = self.header[0] & 0x0f == CLOSE && self.close.is_none() && length <= 125;
        if self.is_close {
            self.close = Some(Vec::new());
        }
        (self.left, self.length) = (length, length);
        self.header.clear();
    }

    /// Returns the close frame as the server has sent it, in place of one of the codec.
    pub(crate) fn closed(&self, given: Option<CloseFrame>) -> Option<CloseFrame> {
        let Some([high, low, reason @ ..]) = self.close.as_deref() else { return given };
        let code = u16::from_be_bytes([*high, *low]);
        let reason = String::from_utf8_lossy(reason).into_owned();
        given.map(|_| CloseFrame { code: code.into(), reason: reason.into() })
    }

    /// Returns the length of a frame that the codec has rejected as too large, with this length in a machine's word.
    pub(crate) fn length_of(&self, cut: usize) -> u64 {
        if self.length as usize == cut { self.length } else { cut as u64 }
    }
}

/// Returns the length of the payload, once the header is complete.
fn payload_length(header: &[u8]) -> Option<u64> {
    debug_assert!(header.len() <= LONGEST_HEADER);
    let second = *header.get(1)?;
    let (length, size) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(header.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(header.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let masked = if second & 0x80 == 0 { 0 } else { 4 };
    (header.len() == size + masked).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(code: u16, reason: &[u8]) -> Vec<u8> {
        let length = u8::try_from(reason.len() + 2).expect("a short reason");
        [&[0x88, length], &code.to_be_bytes()[..], reason].concat()
    }

    fn given() -> Option<CloseFrame> {
        Some(CloseFrame { code: 1002.into(), reason: "Protocol violation".into() })
    }

    #[test]
    fn the_code_of_the_first_close_frame_is_the_servers_own() {
        let long = [&[0x82, 126, 1, 0][..], &[0x88; 256]].concat();
        for (case, before, code) in [
            ("alone", Vec::new(), 1006),
            ("not registered", Vec::new(), 2999),
            ("below all", Vec::new(), 999),
            ("after a message", b"\x81\x02hi".to_vec(), 1006),
            ("after a long message that looks like close frames", long, 1005),
            ("after an empty ping", vec![0x89, 0], 65535),
        ] {
            let sent = [before, close(code, b"why"), close(1000, b"")].concat();
            for size in [1, 2, 7, sent.len()] {
                let mut frames = PeerFrames::default();
                sent.chunks(size).for_each(|piece| frames.add(piece));
                let closed = frames.closed(given()).expect("a code");
                assert_eq!((u16::from(closed.code), closed.reason.as_str()), (code, "why"), "{case}, {size} at once");
            }
        }
    }

    #[test]
    fn a_close_frame_without_a_code_stays_as_it_is() {
        let mut frames = PeerFrames::default();
        frames.add(&[0x88, 0]);
        assert_eq!(frames.closed(None), None);
    }

    #[test]
    fn lengths_are_not_cut() {
        let mut frames = PeerFrames::default();
        frames.add(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(frames.length_of((1_u64 << 63) as usize), 1 << 63);
        assert_eq!(frames.length_of(7), 7);
    }

    #[test]
    fn a_masked_frame_is_skipped_with_its_mask() {
        let mut frames = PeerFrames::default();
        frames.add(&[0x81, 0x81, 1, 2, 3, 4, 0x88]);
        frames.add(&close(4000, b""));
        assert_eq!(frames.closed(given()).map(|frame| u16::from(frame.code)), Some(4000));
    }
}
