//! The samples of a worker on their way to a file. The worker fills a buffer of a fixed size, without a lock and
//! without an allocation per sample, and hands it over when it is full and once a second; buffers that have been
//! written come back. It never waits: if the writer is behind, the samples of a buffer are lost, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel};
use std::time::Duration;

use super::sample::Sample;

/// The samples of a buffer.
const BUFFER_SAMPLES: usize = 1_024;

/// All samples, in millionths.
const ALL: u32 = 1_000_000;

/// The part of all samples that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleShare(u32);

impl SampleShare {
    /// All samples.
    pub(crate) const WHOLE: Self = Self(ALL);

    /// Returns the share nearest to a part of 1; `None` if it is below a millionth or above 1.
    pub(crate) fn of_part(part: f64) -> Option<Self> {
        let millionths = part * f64::from(ALL);
        (millionths >= 1.0 && part <= 1.0).then(|| Self(millionths.round() as u32))
    }

    /// Returns the share as a part of 1.
    pub(crate) fn part(self) -> f64 {
        f64::from(self.0) / f64::from(ALL)
    }
}

/// A sample and the user that it is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TakenSample {
    /// The user's number in the whole run.
    pub user: u32,
    /// The sample.
    pub sample: Sample,
}

/// The samples that a worker hands over at once.
#[derive(Debug)]
pub(crate) struct SampleBatch {
    /// The samples, in the order in which they were recorded.
    pub samples: Vec<TakenSample>,
    /// The time from which the samples count, since the Unix epoch.
    pub start: Duration,
    /// Takes the buffer back.
    spares: Sender<Vec<TakenSample>>,
}

impl SampleBatch {
    /// Gives the buffer back to its worker.
    pub(crate) fn recycle(mut self) {
        self.samples.clear();
        // A worker that has ended needs none.
        let _ = self.spares.send(self.samples);
    }
}

/// A message in the queue of a writer.
#[derive(Debug)]
pub(crate) enum SampleMessage {
    /// Samples of one worker.
    Batch(SampleBatch),
    /// Nothing comes after this.
    End,
}

/// Counts of samples, over all workers.
#[derive(Debug, Default)]
pub(crate) struct SampleCounts {
    taken: AtomicU64,
    lost: AtomicU64,
}

impl SampleCounts {
    /// Returns the number of samples that were to be written.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Returns the number of those for which the writer was too slow.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Makes the taps of all workers.
#[derive(Clone, Debug)]
pub struct SampleTaps {
    /// The part of all samples that is taken.
    pub(crate) share: SampleShare,
    /// The queue of the writer. Its bound is in buffers.
    pub(crate) queue: SyncSender<SampleMessage>,
    /// The counts of all workers.
    pub(crate) counts: Arc<SampleCounts>,
}

impl SampleTaps {
    /// Creates the tap of a worker whose clock began at `start`, since the Unix epoch.
    pub(crate) fn tap(&self, start: Duration) -> SampleTap {
        let (returns, spares) = channel();
        SampleTap { taps: self.clone(), start, credit: 0, buffer: Vec::with_capacity(BUFFER_SAMPLES), returns, spares }
    }
}

/// The samples of one worker since it last handed any over.
#[derive(Debug)]
pub(crate) struct SampleTap {
    taps: SampleTaps,
    start: Duration,
    /// Millionths of a sample that are due.
    credit: u32,
    buffer: Vec<TakenSample>,
    returns: Sender<Vec<TakenSample>>,
    spares: Receiver<Vec<TakenSample>>,
}

impl SampleTap {
    /// Takes a sample if it is its turn: every n-th one, counted, so that no random stream is touched. Hot.
    pub(crate) fn take(&mut self, user: u32, sample: &Sample) {
        self.credit += self.taps.share.0;
        if self.credit < ALL {
            return;
        }
        self.credit -= ALL;
        self.buffer.push(TakenSample { user, sample: *sample });
        if self.buffer.len() == BUFFER_SAMPLES {
            self.hand_over();
        }
    }

    /// Hands over the samples so far.
    pub(crate) fn hand_over(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let next = self.spares.try_recv().unwrap_or_else(|_| Vec::with_capacity(BUFFER_SAMPLES));
        let samples = std::mem::replace(&mut self.buffer, next);
        let count = samples.len() as u64;
        self.taps.counts.taken.fetch_add(count, Ordering::Relaxed);
        let batch = SampleBatch { samples, start: self.start, spares: self.returns.clone() };
        if let Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) =
            self.taps.queue.try_send(SampleMessage::Batch(batch))
        {
            self.taps.counts.lost.fetch_add(count, Ordering::Relaxed);
            if let SampleMessage::Batch(batch) = message {
                batch.recycle();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::super::sample::PhaseDurations;
    use super::*;

    fn sample(end: u64) -> Sample {
        Sample {
            row: 0,
            intended: 0,
            start: 0,
            end,
            status: 200,
            bytes_out: 1,
            bytes_in: 1,
            body_bytes_in: 1,
            phases: PhaseDurations::default(),
            failure: None,
            span: None,
        }
    }

    /// Returns a tap, and the queue with room for this many buffers.
    fn tap(share: f64, room: usize) -> (SampleTap, Receiver<SampleMessage>) {
        let (queue, messages) = sync_channel(room);
        let share = SampleShare::of_part(share).expect("a share");
        (SampleTaps { share, queue, counts: Arc::default() }.tap(Duration::ZERO), messages)
    }

    fn batch(messages: &Receiver<SampleMessage>) -> SampleBatch {
        match messages.try_recv() {
            Ok(SampleMessage::Batch(batch)) => batch,
            other => panic!("no batch: {other:?}"),
        }
    }

    #[test]
    fn a_buffer_is_handed_over_when_it_is_full_and_when_that_is_asked() {
        let (mut tap, messages) = tap(1.0, 4);
        (0..BUFFER_SAMPLES as u64 + 3).for_each(|n| tap.take(7, &sample(n)));
        let full = batch(&messages);
        assert_eq!((full.samples.len(), full.samples[5].sample.end, full.samples[5].user), (BUFFER_SAMPLES, 5, 7));
        assert!(messages.try_recv().is_err());
        tap.hand_over();
        assert_eq!(batch(&messages).samples.len(), 3);
        tap.hand_over();
        assert!(messages.try_recv().is_err(), "nothing is left");
    }

    #[test]
    fn buffers_are_used_again() {
        let (mut tap, messages) = tap(1.0, 4);
        let mut seen = Vec::new();
        for n in 0..6 {
            tap.take(0, &sample(n));
            tap.hand_over();
            let batch = batch(&messages);
            seen.push(batch.samples.as_ptr());
            batch.recycle();
        }
        assert_eq!((seen[0], seen[1]), (seen[2], seen[3]), "two buffers go round");
        assert_eq!((seen[0], seen[1]), (seen[4], seen[5]));
    }

    #[test]
    fn what_a_slow_writer_has_no_room_for_is_lost_and_counted() {
        let (mut tap, messages) = tap(1.0, 2);
        for n in 0..5 {
            tap.take(0, &sample(n));
            tap.hand_over();
        }
        let counts = Arc::clone(&tap.taps.counts);
        assert_eq!((counts.taken(), counts.lost()), (5, 3));
        assert_eq!([batch(&messages), batch(&messages)].map(|batch| batch.samples[0].sample.end), [0, 1]);
        tap.take(0, &sample(9));
        tap.hand_over();
        assert_eq!(batch(&messages).samples[0].sample.end, 9, "it goes on with the newest");
        drop(messages);
        tap.take(0, &sample(10));
        tap.hand_over();
        assert_eq!((counts.taken(), counts.lost()), (7, 4), "no writer is left");
    }

    #[test]
    fn a_share_is_taken_by_count() {
        for (part, expected) in [(0.01, vec![99, 199, 299]), (0.4, vec![2, 4, 7, 9, 12]), (1.0, vec![0, 1, 2])] {
            let (mut tap, messages) = tap(part, 4);
            (0..1_000).for_each(|n| tap.take(0, &sample(n)));
            tap.hand_over();
            let taken: Vec<u64> = batch(&messages).samples.iter().map(|taken| taken.sample.end).collect();
            assert_eq!(taken.len() as f64, 1_000.0 * part, "{part}");
            assert_eq!(taken[..expected.len()], expected, "{part}");
        }
        assert_eq!([0.0, 1e-7, 1.01, f64::NAN].map(SampleShare::of_part), [None; 4]);
    }
}
