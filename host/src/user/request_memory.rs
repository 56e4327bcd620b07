//! Memory for the parts of a request that are rendered. A user keeps that of its last request for the next one, so that
//! rendering allocates nothing once each user has sent a request.

use std::cell::Cell;
use std::mem;
use std::ops::Range;

use bytes::Bytes;

/// Maximum size in bytes of the memory that a user keeps from one request to the next.
const MAX_KEPT: usize = 1024;
/// Maximum size in bytes of the buffers that a worker keeps.
const MAX_KEPT_SCRATCH: usize = 64 * 1024;

/// The buffers that a worker renders a request in. They are empty between two requests.
#[derive(Default)]
pub struct RequestScratch {
    /// The rendered parts, one after the other.
    pub text: String,
    /// The end of each part.
    ends: Vec<usize>,
    /// The places of the rendered values in a part of which the rest is fixed.
    pub values: Vec<Range<usize>>,
    /// A value before it is encoded.
    pub plain: String,
}

impl RequestScratch {
    /// Empties the buffers.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.values.clear();
        for buffer in [&mut self.text, &mut self.plain] {
            buffer.clear();
            buffer.shrink_to(MAX_KEPT_SCRATCH);
        }
    }

    /// Ends a part: everything since the end of the last one.
    pub fn end_part(&mut self) {
        self.ends.push(self.text.len());
    }

    /// Returns the text of the part that has not ended yet.
    pub fn open_part(&self) -> &str {
        &self.text[self.ends.last().copied().unwrap_or_default()..]
    }

    /// Iterates over the parts, as slices of a copy of the text.
    pub fn parts(&self, copy: Bytes) -> impl Iterator<Item = Bytes> {
        let mut start = 0;
        self.ends.iter().map(move |end| copy.slice(mem::replace(&mut start, *end)..*end))
    }
}

/// The memory of a user's rendered requests.
#[derive(Default)]
pub struct RequestMemory {
    /// The copy that was made last, whole; its memory is used again once no request has a part of it any more.
    last: Cell<Bytes>,
}

impl RequestMemory {
    /// Copies the rendered parts of a request.
    pub fn copy(&self, text: &str) -> Bytes {
        if text.len() > MAX_KEPT {
            return Bytes::copy_from_slice(text.as_bytes());
        }
        let mut buffer = self.last.take().try_into_mut().unwrap_or_default();
        buffer.clear();
        let is_new = buffer.capacity() == 0;
        buffer.extend_from_slice(text.as_bytes());
        if is_new {
            // Only a buffer that was split has a count of its users for good; that of another one would be allocated
            // anew each time.
            drop(buffer.split_to(0));
        }
        let copy = buffer.freeze();
        self.last.set(copy.clone());
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_slices_of_one_copy() {
        let mut scratch = RequestScratch::default();
        for part in ["/path", "", "value"] {
            scratch.text.push_str(part);
            assert_eq!(scratch.open_part(), part);
            scratch.end_part();
        }
        let copy = RequestMemory::default().copy(&scratch.text);
        let parts: Vec<_> = scratch.parts(copy.clone()).collect();
        assert_eq!(parts, ["/path", "", "value"]);
        assert_eq!(parts[2].as_ptr(), copy[5..].as_ptr());
        scratch.clear();
        assert_eq!((scratch.parts(copy).count(), scratch.open_part()), (0, ""));
    }

    #[test]
    fn memory_is_used_again_when_no_part_of_it_is_in_use() {
        let memory = RequestMemory::default();
        let first = memory.copy("/first?page=1");
        let address = first.as_ptr();
        let second = memory.copy("/second");
        assert_eq!((&*first, &*second), (&b"/first?page=1"[..], &b"/second"[..]));
        assert_ne!(second.as_ptr(), address, "the first is in use");
        let address = second.as_ptr();
        drop((first, second));
        for text in ["/a", "/bb?c"] {
            let part = memory.copy(text).slice(1..);
            assert_eq!(part, &text[1..]);
            assert_eq!(part.as_ptr().addr(), address.addr() + 1);
        }
    }

    #[test]
    fn little_memory_is_kept() {
        let memory = RequestMemory::default();
        let small = memory.copy("/small").as_ptr();
        assert_eq!(memory.copy(&"x".repeat(MAX_KEPT + 1)).len(), MAX_KEPT + 1);
        assert_eq!(memory.copy("/other").as_ptr(), small);
        let mut scratch = RequestScratch::default();
        scratch.text.push_str(&"x".repeat(2 * MAX_KEPT_SCRATCH));
        scratch.clear();
        assert!(scratch.text.capacity() <= MAX_KEPT_SCRATCH);
    }
}
