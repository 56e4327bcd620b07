//! One timer of the operating system with the best resolution available. On Linux that is a timerfd, with microseconds;
//! elsewhere, and where the clock is virtual, it is tokio's timer, with a millisecond.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

/// A timer that fires once each time it is set.
pub(crate) enum Alarm {
    /// An alarm with a resolution of microseconds.
    #[cfg(target_os = "linux")]
    Fine(fine::TimerFd),
    /// An alarm with a resolution of a millisecond.
    Portable(portable::TokioAlarm),
}

impl Alarm {
    /// Creates an alarm that is not set, for a virtual clock or the real one.
    ///
    /// # Errors
    /// The operating system has no more timers.
    pub(crate) fn new(is_virtual: bool) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if !is_virtual {
            return Ok(Self::Fine(fine::TimerFd::new()?));
        }
        let _ = is_virtual;
        Ok(Self::Portable(portable::TokioAlarm::new()))
    }

    /// Sets the alarm to fire after `delay`, in place of any earlier setting.
    pub(crate) fn set(&self, delay: Duration) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Fine(alarm) => alarm.set(delay),
            Self::Portable(alarm) => alarm.set(delay),
        }
    }

    /// Is ready once after each time the alarm has fired.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Fine(alarm) => alarm.poll(cx),
            Self::Portable(alarm) => alarm.poll(cx),
        }
    }
}

#[cfg(target_os = "linux")]
mod fine {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A timer that fires once each time it is set.
    pub(crate) struct TimerFd(AsyncFd<OwnedFd>);

    impl TimerFd {
        /// Creates an alarm that is not set.
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            // SAFETY: an `OwnedFd` is an open file for as long as it lives, and the `AsyncFd` owns it for good.
            let registered = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?;
            Ok(Self(registered))
        }

        /// Sets the alarm to fire after `delay`, in place of any earlier setting.
        pub(crate) fn set(&self, delay: Duration) {
            // Zero would switch it off.
            let delay = delay.max(Duration::from_nanos(1));
            let seconds = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
            let it_value = Timespec { tv_sec: seconds, tv_nsec: delay.subsec_nanos().into() };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            let setting = Itimerspec { it_interval, it_value };
            if let Err(error) = timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &setting) {
                // It fails only for an invalid timer or an invalid time.
                tracing::error!("a timer cannot be set: {error}");
            }
        }

        /// Is ready once after each time the alarm has fired.
        pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
            loop {
                let Ok(mut readable) = ready!(self.0.poll_read_ready(cx)) else { return Poll::Pending };
                let has_fired = rustix::io::read(self.0.get_ref(), &mut [0; 8]).is_ok();
                // Reading has consumed the event; one that fires from now on is noticed.
                readable.clear_ready();
                if has_fired {
                    return Poll::Ready(());
                }
            }
        }
    }
}

mod portable {
    use std::cell::{Cell, RefCell};
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use tokio::time::Sleep;

    /// A timer that fires once each time it is set.
    pub(crate) struct TokioAlarm {
        sleep: RefCell<Pin<Box<Sleep>>>,
        armed: Cell<bool>,
    }

    /// A time that is never reached.
    const NEVER: Duration = Duration::from_secs(1 << 30);

    impl TokioAlarm {
        /// Creates an alarm that is not set.
        pub(crate) fn new() -> Self {
            Self { sleep: RefCell::new(Box::pin(tokio::time::sleep(NEVER))), armed: Cell::new(false) }
        }

        /// Sets the alarm to fire after `delay`, in place of any earlier setting.
        pub(crate) fn set(&self, delay: Duration) {
            let later = tokio::time::sleep(delay).deadline();
            self.sleep.borrow_mut().as_mut().reset(later);
            self.armed.set(true);
        }

        /// Is ready once after each time the alarm has fired.
        pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
            ready!(self.sleep.borrow_mut().as_mut().poll(cx));
            if self.armed.replace(false) { Poll::Ready(()) } else { Poll::Pending }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_alarm_fires_once_for_its_last_setting() {
        use std::future::poll_fn;
        use std::task::Poll;
        use std::time::Duration;

        let alarm = super::fine::TimerFd::new().unwrap();
        for delay in [Duration::from_millis(1), Duration::ZERO, Duration::from_micros(50)] {
            alarm.set(Duration::from_secs(3600));
            alarm.set(delay);
            poll_fn(|cx| alarm.poll(cx)).await;
            assert!(poll_fn(|cx| Poll::Ready(alarm.poll(cx))).await.is_pending());
        }
    }
}
