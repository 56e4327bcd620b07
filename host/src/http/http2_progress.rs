//! The progress of the streams of an HTTP/2 connection, read off the frames that pass (RFC 9113 section 4.1): which
//! requests were written, and which of them the peer does not process. hyper tells neither when a connection ends.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Length of the preface of a client, which is no frame.
const PREFACE_BYTES: usize = 24;
/// Length of the head of a frame.
const HEAD_BYTES: usize = 9;
/// Length of the head of a GOAWAY frame and of the stream number after it.
const GO_AWAY_BYTES: usize = HEAD_BYTES + 4;
/// The type of a frame that opens a stream.
const HEADERS: u8 = 1;
/// The type of a frame that announces the end of the connection.
const GO_AWAY: u8 = 7;
/// The number of a stream, without the reserved bit.
const STREAM_NUMBER: u32 = u32::MAX >> 1;

/// The progress of the streams of one connection. Requests have the numbers 1, 3, 5 and so on.
#[derive(Debug, Default)]
pub(super) struct StreamProgress {
    /// The number of requests that were given a stream, which may wait to be opened.
    assigned: Cell<u32>,
    /// The highest stream of which at least a part was written.
    written: Cell<u32>,
    /// The last stream that the peer processes, once it has announced the end of the connection.
    last_processed: Cell<Option<u32>>,
}

impl StreamProgress {
    /// Notes that a request was given the next stream.
    pub(super) fn assign(&self) {
        self.assigned.set(self.assigned.get().saturating_add(1));
    }

    /// Returns the stream of the last request that was given one.
    pub(super) fn newest(&self) -> u32 {
        self.assigned.get().saturating_mul(2).saturating_sub(1)
    }

    /// Returns the lowest stream that a request can have which is not given one yet.
    pub(super) fn next(&self) -> u32 {
        self.assigned.get().saturating_mul(2).saturating_add(1)
    }

    /// Returns `true` if nothing of this stream was written.
    pub(super) fn is_unwritten(&self, stream: u32) -> bool {
        stream > self.written.get()
    }

    /// Returns `true` if the peer has announced that it does not process this stream.
    pub(super) fn is_excluded(&self, stream: u32) -> bool {
        self.last_processed.get().is_some_and(|last| stream > last)
    }

    /// Returns `true` if the peer has announced the end of the connection.
    pub(super) fn is_going_away(&self) -> bool {
        self.last_processed.get().is_some()
    }

    fn note_received(&self, frame: Frame) {
        // The number may fall with each announcement, and never rises.
        if let Some(last) = frame.last_processed {
            self.last_processed.set(Some(self.last_processed.get().map_or(last, |earlier| earlier.min(last))));
        }
    }

    fn note_sent(&self, frame: Frame) {
        if frame.kind == HEADERS && frame.stream > self.written.get() {
            self.written.set(frame.stream);
        }
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    kind: u8,
    stream: u32,
    /// The stream that a GOAWAY frame names.
    last_processed: Option<u32>,
}

/// Finds the heads of frames in one direction of a connection, in pieces of any size.
#[derive(Debug)]
struct FrameScanner {
    head: [u8; GO_AWAY_BYTES],
    /// Bytes of the head that have passed.
    filled: usize,
    /// Bytes to pass before the next head.
    skip: usize,
}

impl FrameScanner {
    const fn new(skip: usize) -> Self {
        Self { head: [0; GO_AWAY_BYTES], filled: 0, skip }
    }

    fn scan(&mut self, mut bytes: &[u8], mut found: impl FnMut(Frame)) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                (self.skip, bytes) = (self.skip - skipped, &bytes[skipped..]);
                continue;
            }
            let wanted = if self.filled < HEAD_BYTES { HEAD_BYTES } else { GO_AWAY_BYTES };
            let count = (wanted - self.filled).min(bytes.len());
            self.head[self.filled..][..count].copy_from_slice(&bytes[..count]);
            self.filled += count;
            bytes = &bytes[count..];
            if self.filled == wanted {
                self.complete(&mut found);
            }
        }
    }

    /// Reads a head, and decides what is next: its frame's content, or more of the head of a GOAWAY frame.
    fn complete(&mut self, found: &mut impl FnMut(Frame)) {
        let [a, b, c, kind, _, stream @ .., last_a, last_b, last_c, last_d] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let is_go_away = kind == GO_AWAY && length >= GO_AWAY_BYTES - HEAD_BYTES;
        if is_go_away && self.filled == HEAD_BYTES {
            return;
        }
        let last = u32::from_be_bytes([last_a, last_b, last_c, last_d]) & STREAM_NUMBER;
        let stream = u32::from_be_bytes(stream) & STREAM_NUMBER;
        found(Frame { kind, stream, last_processed: is_go_away.then_some(last) });
        (self.skip, self.filled) = (length + HEAD_BYTES - self.filled, 0);
    }
}

/// A stream whose frames are watched.
pub(super) struct WatchedStream<S> {
    stream: S,
    received: FrameScanner,
    sent: FrameScanner,
    progress: Rc<StreamProgress>,
}

impl<S> WatchedStream<S> {
    /// Wraps the stream of a new connection.
    pub(super) fn new(stream: S, progress: Rc<StreamProgress>) -> Self {
        Self { stream, received: FrameScanner::new(0), sent: FrameScanner::new(PREFACE_BYTES), progress }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let Self { stream, received, progress, .. } = &mut *self;
        let polled = Pin::new(stream).poll_read(cx, buf);
        received.scan(&buf.filled()[before..], |frame| progress.note_received(frame));
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, sent, progress, .. } = &mut *self;
        let polled = Pin::new(stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = polled {
            sent.scan(&buf[..count], |frame| progress.note_sent(frame));
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, sent, progress, .. } = &mut *self;
        let polled = Pin::new(stream).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(mut count)) = polled {
            for buf in bufs {
                let written = count.min(buf.len());
                sent.scan(&buf[..written], |frame| progress.note_sent(frame));
                count -= written;
            }
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, 0], &stream.to_be_bytes(), payload].concat()
    }

    #[test]
    fn frames_are_found_in_pieces_of_any_size() {
        let last = [0x80, 0, 0, 5, 0, 0, 0, 0, b'!'];
        let frames = [frame(4, 0, &[1; 18]), frame(HEADERS, 7, &[2; 300]), frame(GO_AWAY, 0, &last), frame(0, 7, &[])];
        let all = [&[b'P'; PREFACE_BYTES][..], &frames.concat()].concat();
        let expected = [(4, 0, None), (HEADERS, 7, None), (GO_AWAY, 0, Some(5)), (0, 7, None)];
        for size in [1, 2, 7, 9, 13, 64, all.len()] {
            let (mut scanner, mut found) = (FrameScanner::new(PREFACE_BYTES), Vec::new());
            for piece in all.chunks(size) {
                scanner.scan(piece, |frame| found.push((frame.kind, frame.stream, frame.last_processed)));
            }
            assert_eq!(found, expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_goaway_frame_without_a_stream_is_skipped() {
        let (mut scanner, mut found) = (FrameScanner::new(0), Vec::new());
        let all = [frame(GO_AWAY, 0, &[1, 2]), frame(HEADERS, 9, &[])].concat();
        scanner.scan(&all, |frame| found.push((frame.kind, frame.last_processed)));
        assert_eq!(found, [(GO_AWAY, None), (HEADERS, None)]);
    }

    #[test]
    fn streams_above_those_written_or_announced_are_not_processed() {
        let progress = StreamProgress::default();
        let sent = |stream| progress.note_sent(Frame { kind: HEADERS, stream, last_processed: None });
        let announced = |last| progress.note_received(Frame { kind: GO_AWAY, stream: 0, last_processed: Some(last) });
        assert_eq!((progress.newest(), progress.next()), (0, 1));
        progress.assign();
        progress.assign();
        assert_eq!((progress.newest(), progress.next()), (3, 5));
        sent(1);
        assert!(!progress.is_unwritten(1) && progress.is_unwritten(3));
        sent(3);
        // Fields after the content of an earlier request.
        sent(1);
        assert!(!progress.is_unwritten(3));
        assert!(!progress.is_excluded(3) && !progress.is_going_away());
        announced(3);
        announced(1);
        announced(3);
        assert!(progress.is_excluded(3) && !progress.is_excluded(1) && progress.is_going_away());
    }
}
