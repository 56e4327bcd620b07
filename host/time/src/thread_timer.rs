//! Delays exact to a fraction of a millisecond, for several threads. tokio's timers round up to whole milliseconds,
//! which would make `/delay/50` take up to 51 ms and hide whether the generator measures a known delay correctly. One
//! thread per site sleeps until the earliest due time (the operating system is exact to some 0.1 ms) and wakes the
//! tasks that wait for it.
//!
//! A test of a site whose replies depend on the time must not wait for it. So the time may also be a [`ManualTime`],
//! which stands still until the test moves it on.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{io, thread};

use crate::clock::{Clock, Nanos, nanos};

/// Due time, then order of creation, so that equal due times are different keys.
type DueKey = (Nanos, u64);

/// Makes [`Delay`]s. Its thread ends when it is dropped.
pub struct DelayTimer {
    inner: Arc<DelayTimerInner>,
}

struct DelayTimerInner {
    source: TimeSource,
    queue: Mutex<DelayQueue>,
    /// Signalled when the earliest due time has changed, or on closing.
    changed: Condvar,
}

/// The time that delays are measured in.
enum TimeSource {
    /// The time of the system.
    Running(Clock),
    /// A time that stands still between two calls of [`ManualTime::advance`].
    Manual {
        /// Time since the start.
        now: AtomicU64,
        /// Wall-clock time at the start, since the Unix epoch.
        epoch: Duration,
    },
}

impl TimeSource {
    fn now(&self) -> Nanos {
        match self {
            Self::Running(clock) => clock.now(),
            Self::Manual { now, .. } => now.load(SeqCst),
        }
    }

    fn epoch(&self) -> Duration {
        match self {
            Self::Running(clock) => clock.wall(0),
            Self::Manual { epoch, .. } => *epoch,
        }
    }
}

/// A time that its owner moves on. Copies are handles to the same time.
#[derive(Clone)]
pub struct ManualTime {
    inner: Arc<DelayTimerInner>,
}

impl ManualTime {
    /// Creates a time that stands still at a wall-clock time since the Unix epoch.
    pub fn starting_at(epoch: Duration) -> Self {
        let source = TimeSource::Manual { now: AtomicU64::new(0), epoch };
        Self { inner: Arc::new(DelayTimerInner::new(source)) }
    }

    /// Moves the time on and ends the delays that are due by then.
    pub fn advance(&self, duration: Duration) {
        if let TimeSource::Manual { now, .. } = &self.inner.source {
            now.fetch_add(nanos(duration), SeqCst);
        }
        let due = self.inner.lock().take_due(self.inner.source.now());
        // Not under the lock: waking may drop a task and its delays.
        due.into_iter().for_each(Waker::wake);
    }

    /// Returns a timer that follows this time.
    pub fn timer(&self) -> DelayTimer {
        DelayTimer { inner: Arc::clone(&self.inner) }
    }
}

#[derive(Default)]
struct DelayQueue {
    waiting: BTreeMap<DueKey, Waker>,
    /// Number of delays created so far.
    created: u64,
    closed: bool,
}

impl DelayTimer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system has no more threads.
    pub fn start() -> io::Result<Self> {
        let inner = Arc::new(DelayTimerInner::new(TimeSource::Running(Clock::start())));
        let timer = Self { inner: Arc::clone(&inner) };
        thread::Builder::new().name("demo-timer".into()).spawn(move || inner.run())?;
        Ok(timer)
    }

    /// Returns the time since the timer started.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.inner.source.now())
    }

    /// Returns the wall-clock time at which the timer started, since the Unix epoch. Steps of the system's clock since
    /// then have no effect, so that times of the site stay in order.
    pub fn epoch(&self) -> Duration {
        self.inner.source.epoch()
    }

    /// Returns a delay that ends at `due`, a time of [`DelayTimer::now`], and never earlier.
    pub fn at(&self, due: Duration) -> Delay {
        let mut queue = self.inner.lock();
        queue.created += 1;
        Delay { inner: Arc::clone(&self.inner), key: (nanos(due), queue.created) }
    }

    /// Returns a delay that ends after `duration`, and never earlier.
    pub fn after(&self, duration: Duration) -> Delay {
        self.at(self.now().saturating_add(duration))
    }
}

impl Drop for DelayTimer {
    fn drop(&mut self) {
        self.inner.lock().closed = true;
        self.inner.changed.notify_one();
    }
}

impl DelayTimerInner {
    fn new(source: TimeSource) -> Self {
        Self { source, queue: Mutex::default(), changed: Condvar::new() }
    }

    fn run(&self) {
        let mut queue = self.lock();
        while !queue.closed {
            let due = queue.take_due(self.source.now());
            if due.is_empty() {
                queue = self.sleep(queue);
            } else {
                // Waking may drop a task and its delays, which take the lock.
                drop(queue);
                due.into_iter().for_each(Waker::wake);
                queue = self.lock();
            }
        }
    }

    /// Sleeps until the earliest due time or a change.
    fn sleep<'a>(&self, queue: MutexGuard<'a, DelayQueue>) -> MutexGuard<'a, DelayQueue> {
        match queue.waiting.first_key_value() {
            None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            Some(((due, _), _)) => {
                let duration = Duration::from_nanos(due.saturating_sub(self.source.now()));
                self.changed.wait_timeout(queue, duration).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, DelayQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DelayQueue {
    fn take_due(&mut self, now: Nanos) -> Vec<Waker> {
        let later = self.waiting.split_off(&(now.saturating_add(1), 0));
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }
}

/// A future that completes at its due time. Dropping it removes it from the timer.
pub struct Delay {
    inner: Arc<DelayTimerInner>,
    key: DueKey,
}

impl Future for Delay {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.inner.source.now() >= self.key.0 {
            return Poll::Ready(());
        }
        let mut queue = self.inner.lock();
        let replaced = queue.waiting.insert(self.key, context.waker().clone());
        let earliest = queue.waiting.first_key_value().is_some_and(|(first, _)| *first == self.key);
        // Dropping a waker may drop its task, which may hold more delays: not under the lock.
        drop(queue);
        drop(replaced);
        if earliest {
            self.inner.changed.notify_one();
        }
        // A manual time that moved on before the waker was in the queue has not woken it.
        if self.inner.source.now() >= self.key.0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        let removed = self.inner.lock().waiting.remove(&self.key);
        // Not under the lock, as above.
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_delay_is_never_early() {
        let timer = DelayTimer::start().unwrap();
        for micros in [0, 1, 100, 1_500] {
            let due = timer.now() + Duration::from_micros(micros);
            timer.at(due).await;
            assert!(timer.now() >= due, "{micros} µs");
        }
    }

    #[tokio::test]
    async fn the_earlier_of_two_delays_ends_first() {
        let timer = DelayTimer::start().unwrap();
        let now = timer.now();
        let (late, early) = (timer.at(now + Duration::from_secs(3600)), timer.at(now + Duration::from_millis(1)));
        tokio::select! {
            biased;
            () = late => panic!("an hour went by"),
            () = early => {}
        }
    }

    #[tokio::test]
    async fn a_manual_time_ends_the_delays_that_are_due_when_it_moves_on() {
        let time = ManualTime::starting_at(Duration::from_secs(100));
        let timer = time.timer();
        let (mut early, mut late) = (timer.after(Duration::from_secs(1)), timer.after(Duration::from_secs(2)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut early).poll(&mut context).is_pending());
        assert!(Pin::new(&mut late).poll(&mut context).is_pending());
        time.advance(Duration::from_millis(1_500));
        assert!(Pin::new(&mut early).poll(&mut context).is_ready());
        assert!(Pin::new(&mut late).poll(&mut context).is_pending());
        assert_eq!((timer.now(), timer.epoch()), (Duration::from_millis(1_500), Duration::from_secs(100)));
        let waiting = tokio::spawn(late);
        time.advance(Duration::from_millis(500));
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_dropped_delay_is_removed() {
        let timer = DelayTimer::start().unwrap();
        let mut delay = timer.after(Duration::from_secs(3600));
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut delay).poll(&mut context).is_pending());
        assert_eq!(timer.inner.lock().waiting.len(), 1);
        drop(delay);
        assert!(timer.inner.lock().waiting.is_empty());
    }
}
