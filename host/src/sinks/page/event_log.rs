//! The log of a run, which the sink writes and tabs read. A tab asks for what it has not seen, so that a slow one holds
//! nothing but its place.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::ladder::{KeptTick, TickLadder};
use crate::report::page::{TickEvent, write_log};

/// The log, and a signal at each change of it.
#[derive(Debug, Default)]
pub(super) struct SharedLog {
    log: Mutex<EventLog>,
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct EventLog {
    /// The first event; `None` before the run has begun.
    hello: Option<String>,
    ticks: TickLadder,
    /// The last event; `None` while the run lasts.
    end: Option<String>,
}

/// The events that a tab has not seen.
#[derive(Debug, Default)]
pub(super) struct NewEvents {
    /// The first event, after which the tab begins anew.
    pub(super) hello: Option<String>,
    /// Ticks, the earliest first.
    pub(super) ticks: Vec<KeptTick>,
    /// The last event.
    pub(super) end: Option<String>,
}

impl SharedLog {
    /// Sets the first event.
    pub(super) fn begin(&self, hello: String) {
        self.lock().hello = Some(hello);
        self.changes.send_replace(());
    }

    /// Adds a second.
    pub(super) fn push(&self, tick: TickEvent) {
        // Writing into memory does not fail.
        let _ = self.lock().ticks.push(&tick);
        self.changes.send_replace(());
    }

    /// Sets the last event.
    pub(super) fn end(&self, end: String) {
        self.lock().end = Some(end);
        self.changes.send_replace(());
    }

    /// Returns a receiver that is told of each change.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Returns what comes after a second; everything if the tab has seen nothing, or if the history is too coarse for
    /// it by now.
    pub(super) fn after(&self, last: Option<u32>) -> NewEvents {
        let log = self.lock();
        let Some(hello) = log.hello.clone() else { return NewEvents::default() };
        let newer = last.and_then(|last| log.ticks.after(last)).map(|ticks| ticks.cloned().collect());
        let (hello, ticks) = match newer {
            Some(ticks) => (None, ticks),
            None => (Some(hello), log.ticks.all().cloned().collect()),
        };
        NewEvents { hello, ticks, end: log.end.clone() }
    }

    /// Writes the page with all events inside.
    pub(super) fn write_page(&self, out: &mut dyn Write) -> io::Result<()> {
        write_log(out, |lines| self.write(lines))
    }

    /// Writes all events, each on a line.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let NewEvents { hello, ticks, end } = self.after(None);
        let ticks = ticks.iter().map(KeptTick::line);
        for line in hello.map(Ok).into_iter().chain(ticks).chain(end.map(Ok)) {
            writeln!(out, "{}", line?)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, EventLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
