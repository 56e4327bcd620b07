//! Bytes that have arrived and have not been asked for so far.

/// Received bytes, in the order they arrived.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// The number of bytes taken from the front: taking a line moves nothing.
    taken: usize,
}

impl Buffer {
    /// Returns the bytes that have not been taken.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Appends bytes that have arrived. Into an empty buffer nothing is copied.
    pub(crate) fn add(&mut self, arrived: Vec<u8>) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        if self.bytes.is_empty() {
            self.bytes = arrived;
        } else {
            self.bytes.extend(arrived);
        }
    }

    /// Takes at most `most` bytes. If those are all, nothing is copied.
    pub(crate) fn take(&mut self, most: usize) -> Vec<u8> {
        let length = most.min(self.unread().len());
        if self.taken == 0 && length == self.bytes.len() {
            return std::mem::take(&mut self.bytes);
        }
        let front = self.unread()[..length].to_vec();
        self.taken += length;
        front
    }

    /// Returns the end of the first occurrence of `delimiter` at or after `from`.
    pub(crate) fn end_of(&self, delimiter: &[u8], from: usize) -> Option<usize> {
        let rest = self.unread().get(from..)?;
        let at = (0..rest.len()).find(|at| rest[*at..].starts_with(delimiter))?;
        Some(from + at + delimiter.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_in_the_order_added() {
        let mut buffer = Buffer::default();
        buffer.add(b"one\r".to_vec());
        assert_eq!(buffer.end_of(b"\r\n", 0), None);
        buffer.add(b"\ntwo\r\nthr".to_vec());
        let end = buffer.end_of(b"\r\n", 2).expect("a line");
        assert_eq!(buffer.take(end), b"one\r\n");
        buffer.add(b"ee".to_vec());
        assert_eq!((buffer.take(4), buffer.unread()), (b"two\r".to_vec(), b"\nthree".as_slice()));
        assert_eq!((buffer.take(99), buffer.take(1)), (b"\nthree".to_vec(), Vec::new()));
    }
}
