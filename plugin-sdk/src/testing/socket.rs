//! Sockets of the fake host: the bytes that arrive on each, and the times of their arrival.

use std::collections::VecDeque;
use std::time::Duration;

use super::Peer;
use super::peer::Event;
use super::record::Connection;

/// A socket that the action has, or has had.
pub(super) struct Socket {
    /// The other end, as the test scripts it.
    pub peer: Peer,
    /// The record for the test.
    pub record: Connection,
    /// The time of the peer's next event, in virtual nanoseconds.
    clock: u64,
    /// Bytes that the action has sent and the peer has not yet expected.
    got: VecDeque<u8>,
    /// Arrival times and pieces; an empty piece is the end.
    arriving: VecDeque<(u64, Vec<u8>)>,
}

impl Socket {
    /// Creates a socket that is being connected.
    pub(crate) fn new(peer: Peer, record: Connection) -> Self {
        Self { peer, record, clock: 0, got: VecDeque::new(), arriving: VecDeque::new() }
    }

    /// Establishes the connection.
    pub(crate) fn open(&mut self, now: u64) {
        self.record.open = true;
        self.go_on(now);
    }

    /// Hands bytes to the peer, which goes on as far as it can.
    pub(crate) fn write(&mut self, bytes: &[u8], now: u64) {
        self.record.written.extend_from_slice(bytes);
        self.got.extend(bytes);
        self.go_on(now);
    }

    /// Returns the time that the peer takes for a handshake.
    pub(crate) fn handshake_time(&self) -> Duration {
        match self.peer.events.front() {
            Some(Event::Secures(after)) => *after,
            _ => Duration::ZERO,
        }
    }

    /// Returns `true` if the peer does not expect a handshake: it would take one for bytes in clear.
    pub(crate) fn refuses_tls(&self) -> bool {
        !matches!(self.peer.events.front(), Some(Event::Secures(_)))
    }

    /// Ends the handshake that the peer expects.
    pub(crate) fn secure(&mut self, now: u64) {
        self.record.tls = true;
        self.peer.events.pop_front();
        self.go_on(now);
    }

    /// Returns the time at which the next piece arrives, if one does without a further write.
    pub(crate) fn arrival(&self) -> Option<u64> {
        if !self.record.open {
            return Some(0);
        }
        self.arriving.front().map(|(due, _)| *due)
    }

    /// Takes the bytes of a read from the first piece. The end is never taken.
    pub(crate) fn read(&mut self, most: usize) -> Vec<u8> {
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

    /// Plays the peer's events until it waits for bytes.
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
                Event::Secures(_) => return,
            }
            self.peer.events.pop_front();
        }
    }
}
