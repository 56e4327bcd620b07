//! A stream in memory, between a protocol library that reads and writes immediately and a socket that must be awaited.

use std::io::{self, Read, Write};

use crate::peer_frames::PeerFrames;

/// Bytes that have arrived and bytes to be sent. Reading from an empty pipe would block, until the peer has closed its
/// side.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    arrived: Vec<u8>,
    /// The number of arrived bytes that have been read.
    read: usize,
    ended: bool,
    outgoing: Vec<u8>,
    /// The server's frames.
    pub frames: PeerFrames,
}

impl Pipe {
    /// Creates a pipe with the head of the reply to a handshake.
    pub(crate) fn with_head(head: Vec<u8>) -> Self {
        Self { arrived: head, ..Self::default() }
    }

    /// Adds the bytes of a read of the socket; none mean that the peer has closed its side.
    pub(crate) fn add(&mut self, bytes: Vec<u8>) {
        self.frames.add(&bytes);
        self.ended = bytes.is_empty();
        self.arrived.drain(..self.read);
        self.read = 0;
        if self.arrived.is_empty() {
            self.arrived = bytes;
        } else {
            self.arrived.extend(bytes);
        }
    }

    /// Returns `true` if there are bytes to send.
    pub(crate) fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Takes the bytes to send.
    pub(crate) fn take_outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = &self.arrived[self.read..];
        if there.is_empty() {
            // An idle connection holds no buffer here.
            (self.arrived, self.read) = (Vec::new(), 0);
            return if self.ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let length = there.len().min(into.len());
        into[..length].copy_from_slice(&there[..length]);
        self.read += length;
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_order_until_the_pipe_would_block_or_ends() {
        let mut pipe = Pipe::default();
        let mut two = [0; 2];
        assert_eq!(pipe.read(&mut two).expect_err("nothing is there").kind(), io::ErrorKind::WouldBlock);
        pipe.add(b"abc".to_vec());
        assert_eq!((pipe.read(&mut two).expect("two"), two), (2, *b"ab"));
        pipe.add(b"de".to_vec());
        assert_eq!((pipe.read(&mut two).expect("two"), two), (2, *b"cd"));
        pipe.add(Vec::new());
        assert_eq!((pipe.read(&mut two).expect("one"), two[0]), (1, b'e'));
        assert_eq!(pipe.read(&mut two).expect("the end"), 0);
        pipe.write_all(b"out").expect("memory");
        assert_eq!((pipe.take_outgoing(), pipe.take_outgoing()), (b"out".to_vec(), Vec::new()));
    }
}
