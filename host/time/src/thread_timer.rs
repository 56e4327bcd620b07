//! Delays exact to a fraction of a millisecond, for several threads. tokio's timers round up to whole milliseconds,
//! which would make `/delay/50` take up to 51 ms and hide whether the generator measures a known delay correctly. One
//! thread per site sleeps until the earliest due time (the operating system is exact to some 0.1 ms) and wakes the
//! tasks that wait for it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
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
    clock: Clock,
    queue: Mutex<DelayQueue>,
    /// Signalled when the earliest due time has changed, or on closing.
    changed: Condvar,
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
        let inner =
            Arc::new(DelayTimerInner { clock: Clock::start(), queue: Mutex::default(), changed: Condvar::new() });
        let timer = Self { inner: Arc::clone(&inner) };
        thread::Builder::new().name("demo-timer".into()).spawn(move || inner.run())?;
        Ok(timer)
    }

    /// Returns the time since the timer started.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.inner.clock.now())
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
    fn run(&self) {
        let mut queue = self.lock();
        while !queue.closed {
            let due = queue.take_due(self.clock.now());
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
                let duration = Duration::from_nanos(due.saturating_sub(self.clock.now()));
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
        if self.inner.clock.now() >= self.key.0 {
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
        Poll::Pending
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
