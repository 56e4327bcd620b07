//! Bytes that have arrived and that nobody has asked for so far.

/// In the order they arrived.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// How many of them are gone: taking a line from the front moves nothing.
    taken: usize,
}

impl Buffer {
    /// What there is.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Appends what has arrived. Into an empty buffer nothing is copied.
    pub fn add(&mut self, arrived: Vec<u8>) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        if self.bytes.is_empty() {
            self.bytes = arrived;
        } else {
            self.bytes.extend(arrived);
        }
    }

    /// Takes as much as there is of so many bytes. Where that is all, nothing is copied.
    pub fn take(&mut self, most: usize) -> Vec<u8> {
        let length = most.min(self.unread().len());
        if self.taken == 0 && length == self.bytes.len() {
            return std::mem::take(&mut self.bytes);
        }
        let front = self.unread()[..length].to_vec();
        self.taken += length;
        front
    }

    /// Where the first occurrence of `delimiter` ends. Nothing before `from` is looked at.
    pub fn end_of(&self, delimiter: &[u8], from: usize) -> Option<usize> {
        let rest = self.unread().get(from..)?;
        let at = (0..rest.len()).find(|at| rest[*at..].starts_with(delimiter))?;
        Some(from + at + delimiter.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_the_pieces() {
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
