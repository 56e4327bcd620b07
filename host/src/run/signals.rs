//! Ctrl-C, SIGTERM, and the signals that would otherwise end the process without a report: SIGHUP, which a terminal
//! sends when it is closed, SIGQUIT, SIGUSR1 and SIGUSR2. On Windows, Ctrl-C and Ctrl-Break, and the events by which a
//! console is closed. Everything specific to an operating system stays here.

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::Signal;
use tokio::sync::oneshot;

#[cfg(not(unix))]
use windows::ConsoleEvent as Signal;

use crate::exit::Exit;

/// The signals that end a run.
pub(crate) struct Signals {
    /// A listener to each. What comes between two waits is kept for the second.
    streams: Vec<Signal>,
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

    /// Starts to listen: from now on the events of the console do not kill the process.
    ///
    /// # Errors
    /// The operating system cannot install a handler.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { streams: windows::listen()? })
    }

    /// Returns no listener: others listen, and say what follows.
    pub(crate) const fn none() -> Self {
        Self { streams: Vec::new() }
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        poll_fn(|cx| {
            let came = self.streams.iter_mut().any(|stream| stream.poll_recv(cx).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// The events of a console.
#[cfg(not(unix))]
mod windows {
    use std::io;
    use std::task::{Context, Poll};

    use tokio::signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
        ctrl_shutdown,
    };

    /// A listener to one kind of event.
    pub(super) enum ConsoleEvent {
        C(CtrlC),
        Break(CtrlBreak),
        Close(CtrlClose),
        Logoff(CtrlLogoff),
        Shutdown(CtrlShutdown),
    }

    impl ConsoleEvent {
        pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
            match self {
                Self::C(event) => event.poll_recv(cx),
                Self::Break(event) => event.poll_recv(cx),
                Self::Close(event) => event.poll_recv(cx),
                Self::Logoff(event) => event.poll_recv(cx),
                Self::Shutdown(event) => event.poll_recv(cx),
            }
        }
    }

    /// Listens to all of them.
    pub(super) fn listen() -> io::Result<Vec<ConsoleEvent>> {
        Ok(vec![
            ConsoleEvent::C(ctrl_c()?),
            ConsoleEvent::Break(ctrl_break()?),
            ConsoleEvent::Close(ctrl_close()?),
            ConsoleEvent::Logoff(ctrl_logoff()?),
            ConsoleEvent::Shutdown(ctrl_shutdown()?),
        ])
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
