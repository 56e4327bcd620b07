//! Ctrl-C, SIGTERM, and the signals that would otherwise end the process without a report: SIGHUP, which a terminal
//! sends when it is closed, SIGQUIT, SIGUSR1 and SIGUSR2. Everything specific to an operating system stays here.

#[cfg(unix)]
use std::future::poll_fn;
use std::io;
#[cfg(unix)]
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::exit::Exit;

/// The signals that end a run.
pub(crate) struct Signals {
    #[cfg(unix)]
    streams: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Starts to listen: from now on the signals do not kill the process.
    ///
    /// # Errors
    /// The operating system cannot install a handler.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
        ];
        Ok(Self { streams: kinds.into_iter().map(signal).collect::<io::Result<_>>()? })
    }

    /// Starts to listen: from now on Ctrl-C does not kill the process.
    ///
    /// # Errors
    /// Never on this system.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        poll_fn(|cx| {
            let came = self.streams.iter_mut().any(|stream| stream.poll_recv(cx).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits for the next Ctrl-C.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The time that a report has to be written before a signal may end the process: a user who presses Ctrl-C repeatedly
/// to end a run must not lose its report to the last key press.
const REPORT_GRACE: Duration = Duration::from_secs(2);

/// The thread that ends the process at the next signal. It does so even when this is dropped.
pub(crate) struct ExitOnSignal {
    /// Asks the thread to wait instead of ending the process.
    wait: oneshot::Sender<Duration>,
    /// The thread; `None` if the system had no more.
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Lets the next signal end the process, after [`REPORT_GRACE`] at the earliest. Called after a run: signals that were
/// listened to once would otherwise be swallowed until the process ends, however long the report takes to write.
pub(crate) fn exit_on_next_signal() -> ExitOnSignal {
    let (wait, asked) = oneshot::channel();
    // Without the thread the report is still written, but cannot be interrupted.
    let thread = std::thread::Builder::new().name("signals".into()).spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(exit_or_wait(asked))
    });
    ExitOnSignal { wait, thread: thread.ok() }
}

impl ExitOnSignal {
    /// Waits for this time or until a signal comes, now that the report is written. A signal ends only the wait, also
    /// one that came while the report was written.
    pub(crate) fn wait(self, time: Duration) {
        let Some(thread) = self.thread.filter(|_| self.wait.send(time).is_ok()) else { return };
        // A panic has printed its message already.
        let _ = thread.join();
    }
}

async fn exit_or_wait(asked: oneshot::Receiver<Duration>) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    let mut has_come = false;
    let next = async {
        signals.next().await;
        has_come = true;
    };
    let exit = async { tokio::join!(next, tokio::time::sleep(REPORT_GRACE)) };
    let asked = async {
        match asked.await {
            Ok(time) => time,
            Err(_) => std::future::pending().await,
        }
    };
    let time = tokio::select! {
        time = asked => time,
        _ = exit => std::process::exit(Exit::Interrupted.code().into()),
    };
    if !has_come {
        tokio::select! {
            () = signals.next() => {}
            () = tokio::time::sleep(time) => {}
        }
    }
    Ok(())
}
