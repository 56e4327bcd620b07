//! The boxes of ISO base media files (ISO/IEC 14496-12), read just enough to cut a file and put it together again.

/// A box: its type and its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Mp4Box<'a> {
    /// Four letters.
    pub kind: [u8; 4],
    /// The whole box.
    pub whole: &'a [u8],
    /// The box without its size and type.
    pub content: &'a [u8],
}

impl<'a> Mp4Box<'a> {
    /// Returns the first box of that type inside, after some bytes of other content.
    pub(crate) fn child_after(&self, skipped: usize, kind: &[u8; 4]) -> Option<Self> {
        boxes(self.content.get(skipped..)?)?.into_iter().find(|child| child.kind == *kind)
    }

    /// Returns the first box of that type inside.
    pub(crate) fn child(&self, kind: &[u8; 4]) -> Option<Self> {
        self.child_after(0, kind)
    }

    /// Returns the version of a box that has one.
    pub(crate) fn version(&self) -> Option<u8> {
        self.content.first().copied()
    }

    /// Returns the flags of a box that has some.
    pub(crate) fn flags(&self) -> Option<u32> {
        Some(u32_at(self.content, 0)? & 0x00ff_ffff)
    }
}

/// Returns the boxes one after another; `None` if the bytes are not whole boxes.
pub(crate) fn boxes(mut bytes: &[u8]) -> Option<Vec<Mp4Box<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let kind = bytes.get(4..8)?.try_into().ok()?;
        let (head, size) = match u32_at(bytes, 0)? {
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(u64_at(bytes, 8)?).ok()?),
            size => (8, usize::try_from(size).ok()?),
        };
        let whole = bytes.get(..size)?;
        found.push(Mp4Box { kind, whole, content: whole.get(head..)? });
        bytes = &bytes[size..];
    }
    Some(found)
}

/// Returns the 16-bit number at an offset.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Returns the 32-bit number at an offset.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Returns the 64-bit number at an offset.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_follow_each_other() {
        let bytes = b"\0\0\0\x09stypa\0\0\0\x01mdat\0\0\0\0\0\0\0\x12bc\0\0\0\0freedef";
        let found = boxes(bytes).unwrap();
        let contents: Vec<_> = found.iter().map(|one| (&one.kind, one.content)).collect();
        assert_eq!(contents, [(b"styp", &b"a"[..]), (b"mdat", b"bc"), (b"free", b"def")]);
    }

    #[test]
    fn bytes_that_are_not_whole_boxes_are_none() {
        for bytes in [&b"\0\0\0\x09styp"[..], b"\0\0\0\x07styp", b"\0\0", b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x01"] {
            assert!(boxes(bytes).is_none(), "{bytes:?}");
        }
    }
}
