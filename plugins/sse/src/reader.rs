//! Reads a stream until the step is done: after its events, its time, the expected event, or the end.

use std::pin::pin;
use std::time::Duration;

use stampede_plugin::future::{Either, select};
use stampede_plugin::http::Stream;
use stampede_plugin::{Failure, FailureKind, Outcome, Task};

use crate::Sse;
use crate::event_stream::{EventStream, MOST, TooLarge};

/// The state of one run.
pub(crate) struct EventReader<'a> {
    step: &'a Sse,
    task: &'a Task,
    stream: EventStream,
    events: u64,
    /// The time of the last event; before the first one, that of the request.
    last: Duration,
    /// `true` once an event has met `expect`.
    met: bool,
}

impl<'a> EventReader<'a> {
    /// Begins to read the reply to a request that was sent at `start`.
    pub(crate) fn new(step: &'a Sse, start: Duration, task: &'a Task) -> Self {
        Self { step, task, stream: EventStream::default(), events: 0, last: start, met: false }
    }

    /// Reads until the step is done. Dropping the stream then ends one that goes on.
    pub(crate) async fn run(mut self, stream: Stream<'_>) -> Outcome {
        let Some(time) = self.step.time else {
            self.read(stream).await?;
            return self.verdict();
        };
        let time = self.task.sleep(time);
        match select(pin!(self.read(stream)), time).await {
            Either::Left((outcome, _)) => outcome?,
            Either::Right(((), _)) => {}
        }
        self.verdict()
    }

    async fn read(&mut self, stream: Stream<'_>) -> Outcome {
        loop {
            let piece = stream.read().await?;
            if piece.is_empty() {
                stream.end().await?;
                return self.ended();
            }
            let events = self.stream.push(&piece).map_err(|TooLarge| too_large())?;
            for data in events {
                self.take(&data);
                if self.is_enough() {
                    return Ok(());
                }
            }
        }
    }

    fn take(&mut self, data: &[u8]) {
        let (metrics, now) = (self.step.metrics, self.task.now());
        metrics.events.add(self.task, 1);
        let trend = if self.events == 0 { metrics.first_event } else { metrics.gap };
        trend.add(self.task, now - self.last);
        self.events += 1;
        self.last = now;
        self.met |= self.step.expect.as_ref().is_some_and(|expect| expect.accepts(&String::from_utf8_lossy(data)));
    }

    fn is_enough(&self) -> bool {
        match self.step.events {
            Some(events) => self.events >= events.get(),
            // Without `events` and `for`, the expected event ends the step.
            None => self.met && self.step.time.is_none(),
        }
    }

    /// Fails if the stream has ended too early.
    fn ended(&self) -> Outcome {
        let wanted = match (self.step.events, self.step.time) {
            (Some(events), _) => format!("expected {events} events"),
            (None, Some(time)) => format!("expected events for {time:?}"),
            (None, None) => return Ok(()),
        };
        Err(Failure::new(FailureKind::Network, format!("{wanted}, got {} before the stream ended", self.events)))
    }

    /// Fails if no event has met `expect`.
    fn verdict(&self) -> Outcome {
        match &self.step.expect {
            Some(expect) if !self.met => {
                Err(Failure::check(format!("expected an event to {expect}, got {} others", self.events)))
            }
            _ => Ok(()),
        }
    }
}

fn too_large() -> Failure {
    Failure::protocol(format!("an event has more than {MOST} bytes"))
}
