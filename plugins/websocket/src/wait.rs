//! Waiting for the message that a step expects.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Duration;

use stampede_plugin::parameters::{Save, TimeSpan};
use stampede_plugin::{ConfigError, Failure, FailureKind, Outcome, PerUser, Task};
use tungstenite::Message;

use crate::connection::Connection;
use crate::failures;
use crate::incoming::{Conditions, Incoming, RenderedConditions, text};

/// Waits for a message and takes variables from it.
pub(crate) struct Wait {
    conditions: Conditions,
    within: Option<Duration>,
    save: Save,
}

impl Wait {
    /// Waits for any message where none is expected.
    pub(crate) fn new(expect: Option<Incoming>, within: Option<TimeSpan>, save: Save) -> Self {
        let Incoming(conditions) = expect.unwrap_or_default();
        Self { conditions, within: within.map(|span| span.0), save }
    }

    /// Creates a wait as `new` does, if the step has an `expect` or a `save`.
    pub(crate) fn if_any(
        expect: Option<Incoming>,
        within: Option<TimeSpan>,
        save: Save,
    ) -> Result<Option<Self>, ConfigError> {
        let waits = expect.is_some() || !save.is_empty();
        if within.is_some() && !waits {
            return Err(ConfigError::new("`within` needs `expect`").at("/within"));
        }
        Ok(waits.then(|| Self::new(expect, within, save)))
    }

    /// Waits on a connection that outlasts the step, unless the wait breaks it.
    pub(crate) async fn on_open(&self, mut connection: Connection, open: &PerUser<Connection>, task: &Task) -> Outcome {
        let found = self.run(&mut connection, task).await;
        match &found {
            Ok(Message::Close(_)) => connection.end(task).await,
            Ok(_) => open.put(task, connection),
            // A message that is late may still arrive; after any other failure none does.
            Err(failure) if failure.kind() == FailureKind::Timeout => open.put(task, connection),
            Err(_) => drop(connection),
        }
        self.save(&found?, task)
    }

    /// Waits for the message.
    pub(crate) async fn run(&self, connection: &mut Connection, task: &Task) -> Result<Message, Failure> {
        wait(connection, &self.conditions.render(task), self.within, task).await
    }

    /// Sets the variables from the message.
    pub(crate) fn save(&self, message: &Message, task: &Task) -> Outcome {
        self.save.apply(&text(message), task)
    }
}

/// Messages that were skipped, for the detail of a failure.
#[derive(Default)]
struct SkippedMessages {
    count: Cell<u64>,
    last: RefCell<Option<String>>,
}

/// Waits for the first message that meets the conditions, at most `within` if there is such a limit. Others are
/// skipped, except a close frame, after which none arrives.
async fn wait(
    connection: &mut Connection,
    expected: &RenderedConditions<'_>,
    within: Option<Duration>,
    task: &Task,
) -> Result<Message, Failure> {
    let others = SkippedMessages::default();
    let found = find(connection, expected, &others, task);
    let Some(limit) = within else { return found.await };
    match task.timeout(limit, found).await {
        Ok(found) => found,
        Err(_) => Err(Failure::new(FailureKind::Timeout, others.describe(expected, limit))),
    }
}

async fn find(
    connection: &mut Connection,
    expected: &RenderedConditions<'_>,
    others: &SkippedMessages,
    task: &Task,
) -> Result<Message, Failure> {
    loop {
        let message = connection.next(task).await?;
        if expected.accepts(&message) {
            connection.record_round_trip(task);
            return Ok(message);
        }
        match message {
            Message::Close(frame) if expected.is_close() => {
                let got = failures::code(frame.as_ref());
                return Err(Failure::status(format!("expected {expected}, got one {got}")));
            }
            Message::Close(frame) => return Err(failures::closed(frame.as_ref())),
            other => others.note(&other),
        }
    }
}

impl SkippedMessages {
    fn note(&self, message: &Message) {
        self.count.set(self.count.get() + 1);
        self.last.replace(Some(failures::shown(message)));
    }

    fn describe(&self, expected: impl fmt::Display, limit: Duration) -> String {
        let begin = format!("expected {expected} within {limit:?}, got");
        match (self.count.get(), self.last.borrow().as_deref()) {
            (1, Some(last)) => format!("{begin} {last}"),
            (count, Some(last)) => format!("{begin} {count} others, the last {last}"),
            (_, None) => format!("{begin} none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_messages_are_reported() {
        let others = SkippedMessages::default();
        let limit = Duration::from_millis(1500);
        for (message, text) in [
            (None, "expected a message within 1.5s, got none"),
            (Some(Message::text("one")), "expected a message within 1.5s, got a text message of 3 bytes"),
            (
                Some(Message::Pong(vec![0].into())),
                "expected a message within 1.5s, got 2 others, the last a pong of 1 bytes",
            ),
        ] {
            message.iter().for_each(|message| others.note(message));
            assert_eq!(others.describe("a message", limit), text);
        }
    }
}
