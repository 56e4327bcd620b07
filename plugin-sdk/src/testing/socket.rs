//! Sockets of the fake host: what has arrived on each, and when.

use std::collections::VecDeque;

use super::Peer;
use super::peer::Event;
use super::record::Connection;

/// One that the action has, or has had.
pub(super) struct Socket {
    /// How the connect ends.
    pub peer: Peer,
    /// What the test may look at.
    pub record: Connection,
    /// How far the peer is, in virtual nanoseconds.
    clock: u64,
    /// Sent by the action and not yet expected by the peer.
    got: VecDeque<u8>,
    /// Arrival times and pieces; an empty one is the end.
    arriving: VecDeque<(u64, Vec<u8>)>,
}

impl Socket {
    /// One that is being connected.
    pub fn new(peer: Peer, record: Connection) -> Self {
        Self { peer, record, clock: 0, got: VecDeque::new(), arriving: VecDeque::new() }
    }

    /// The connection stands.
    pub fn open(&mut self, now: u64) {
        self.record.open = true;
        self.go_on(now);
    }

    /// Bytes reach the peer, which goes on as far as it can.
    pub fn write(&mut self, bytes: &[u8], now: u64) {
        self.record.written.extend_from_slice(bytes);
        self.got.extend(bytes);
        self.go_on(now);
    }

    /// When the next piece arrives, if one does by itself.
    pub fn arrival(&self) -> Option<u64> {
        if !self.record.open {
            return Some(0);
        }
        self.arriving.front().map(|(due, _)| *due)
    }

    /// Takes from the first piece what a read asks for. The end stays the end.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let Some((_, piece)) = self.arriving.front_mut() else {
            return Vec::new();
        };
        let rest = piece.split_off(most.min(piece.len()));
        let bytes = std::mem::replace(piece, rest);
        if piece.is_empty() && !bytes.is_empty() {
            self.arriving.pop_front();
        }
        bytes
    }

    /// Does what the peer does until it waits for bytes.
    fn go_on(&mut self, now: u64) {
        self.clock = self.clock.max(now);
        while let Some(event) = self.peer.events.front() {
            match event {
                Event::Expects(bytes) => {
                    let there = bytes.len().min(self.got.len());
                    if !self.got.iter().take(there).eq(&bytes[..there]) {
                        let got: Vec<u8> = self.got.iter().copied().collect();
                        panic!("the peer expected `{}`, got `{}`", bytes.escape_ascii(), got.escape_ascii());
                    }
                    if there < bytes.len() {
                        return;
                    }
                    self.got.drain(..there);
                }
                Event::Waits(duration) => self.clock += u64::try_from(duration.as_nanos()).expect("a test's time"),
                Event::Answers(bytes) => self.arriving.push_back((self.clock, bytes.clone())),
                Event::Closes => self.arriving.push_back((self.clock, Vec::new())),
            }
            self.peer.events.pop_front();
        }
    }
}
