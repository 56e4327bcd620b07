//! The messages of a reply. They are decoded only if `expect` or `save` needs them.

use std::time::Duration;

use bytes::Bytes;
use prost_reflect::MessageDescriptor;
use stampede_plugin::http::Stream;
use stampede_plugin::{Failure, Outcome, Task};

use crate::Grpc;
use crate::expect::RenderedConditions;
use crate::frames::Frames;
use crate::json::{Conversion, Problem};
use crate::method::Method;

/// The messages so far.
pub(crate) struct Incoming<'a> {
    step: &'a Grpc,
    method: &'a Method,
    task: &'a Task,
    /// The time at which the call began.
    start: Duration,
    frames: Frames,
    count: u64,
    expected: Option<RenderedConditions<'a>>,
    /// The first message that meets the conditions, as JSON.
    found: Option<String>,
}

impl<'a> Incoming<'a> {
    /// Begins a call now.
    pub(crate) fn new(step: &'a Grpc, method: &'a Method, task: &'a Task) -> Self {
        let expected = step.expect.as_ref().map(|conditions| conditions.render(task));
        let start = task.now();
        Self { step, method, task, start, frames: Frames::new(step.max_message), count: 0, expected, found: None }
    }

    /// Reads to the end of the reply.
    pub(crate) async fn read(&mut self, stream: &Stream<'_>) -> Outcome {
        self.frames.set_coding(stream.header("grpc-encoding"));
        loop {
            let piece = stream.read().await?;
            if piece.is_empty() {
                break;
            }
            self.take(&piece).await?;
        }
        if self.frames.is_cut() {
            return Err(Frames::cut());
        }
        Ok(())
    }

    async fn take(&mut self, piece: &[u8]) -> Outcome {
        let (before, looks) = (self.count, self.expected.is_some() || self.step.save.is_some());
        self.frames.push(piece);
        while let Some(message) = self.frames.next()? {
            self.count += 1;
            if looks && self.found.is_none() {
                let message = Bytes::from(message.message()?.into_owned());
                let text = json(message, &self.method.output, self.task).await?;
                let accepted = self.expected.as_ref().is_none_or(|expected| expected.accepts(&text));
                pause(text.len(), self.task).await;
                self.found = accepted.then_some(text);
            }
        }
        if self.count > before {
            self.step.metrics.messages_in.add(self.task, self.count - before);
            if before == 0 {
                self.step.metrics.first_message.add(self.task, self.task.now() - self.start);
            }
        }
        Ok(())
    }

    /// Checks the messages of a call that ended with the expected status.
    pub(crate) fn verdict(&self) -> Outcome {
        let count = self.count;
        if !self.method.streams_in && self.step.is_ok_expected() && count != 1 {
            return Err(Failure::protocol(format!("expected one message, got {count}")));
        }
        match (&self.found, &self.expected) {
            (Some(text), _) => self.step.save.as_ref().map_or(Ok(()), |save| save.apply(text, self.task)),
            (None, Some(expected)) => Err(Failure::check(format!("expected {expected}, got {count} others"))),
            (None, None) if self.step.save.is_some() => {
                Err(Failure::check("expected a message to save from, got none"))
            }
            (None, None) => Ok(()),
        }
    }
}

/// Converts a message to the JSON of protobuf, fields without a value included.
async fn json(message: Bytes, descriptor: &MessageDescriptor, task: &Task) -> Result<String, Failure> {
    let mut conversion = Conversion::new(message, descriptor.clone());
    loop {
        match conversion.advance() {
            Ok(Some(text)) => {
                pause(text.len(), task).await;
                return Ok(text);
            }
            Ok(None) => task.sleep(Duration::ZERO).await,
            Err(Problem::Malformed) => {
                return Err(Failure::protocol(format!("a message is not a `{}`", descriptor.full_name())));
            }
            Err(Problem::TooLong) => return Err(Failure::protocol("a message is too long as JSON")),
        }
    }
}

/// Pauses after work on a message of this many bytes, if it is large: a call of the host ends this one, and with it the
/// processor time that is counted.
async fn pause(bytes: usize, task: &Task) {
    const LARGE: usize = 256 << 10;
    if bytes > LARGE {
        task.sleep(Duration::ZERO).await;
    }
}
