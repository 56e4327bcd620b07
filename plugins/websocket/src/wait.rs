//! Waiting for the message that a step expects.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Duration;

use stampede_plugin::parameters::{Save, TimeSpan};
use stampede_plugin::{ConfigError, Failure, FailureKind, Outcome, PerUser, Task};
use tungstenite::Message;

use crate::connection::Connection;
use crate::incoming::{Conditions, Expected, Incoming, text};
use crate::mishap;

/// Waits for a message and takes variables from it.
pub struct Wait {
    conditions: Conditions,
    within: Option<Duration>,
    save: Save,
}

impl Wait {
    /// Waits for any message where none is expected.
    pub fn new(expect: Option<Incoming>, within: Option<TimeSpan>, save: Save) -> Self {
        let Incoming(conditions) = expect.unwrap_or_default();
        Self { conditions, within: within.map(|span| span.0), save }
    }

    /// As `new`, if any of it was typed that makes a step wait.
    pub fn if_any(expect: Option<Incoming>, within: Option<TimeSpan>, save: Save) -> Result<Option<Self>, ConfigError> {
        let waits = expect.is_some() || !save.is_empty();
        if within.is_some() && !waits {
            return Err(ConfigError::new("`within` needs `expect`").at("/within"));
        }
        Ok(waits.then(|| Self::new(expect, within, save)))
    }

    /// Waits on a connection that outlasts the step, if nothing breaks it.
    pub async fn on_open(&self, mut connection: Connection, open: &PerUser<Connection>, task: &Task) -> Outcome {
        let found = self.run(&mut connection, task).await;
        match &found {
            Ok(Message::Close(_)) => connection.end(task).await,
            Ok(_) => open.put(task, connection),
            // What did not come in time may come later; after any other failure nothing does.
            Err(failure) if failure.kind() == FailureKind::Timeout => open.put(task, connection),
            Err(_) => drop(connection),
        }
        self.save(&found?, task)
    }

    /// Waits for the message.
    pub async fn run(&self, connection: &mut Connection, task: &Task) -> Result<Message, Failure> {
        wait(connection, &self.conditions.render(task), self.within, task).await
    }

    /// Takes the variables from the message.
    pub fn save(&self, message: &Message, task: &Task) -> Outcome {
        self.save.apply(&text(message), task)
    }
}

/// What came instead, for the words of a failure.
#[derive(Default)]
struct Others {
    count: Cell<u64>,
    last: RefCell<Option<String>>,
}

/// Waits for the first message that is as expected, no longer than `within` if there is such a limit. Others are passed
/// over, but for the server's goodbye, after which nothing comes.
async fn wait(
    connection: &mut Connection,
    expected: &Expected<'_>,
    within: Option<Duration>,
    task: &Task,
) -> Result<Message, Failure> {
    let others = Others::default();
    let found = find(connection, expected, &others, task);
    let Some(limit) = within else { return found.await };
    match task.timeout(limit, found).await {
        Ok(found) => found,
        Err(_) => Err(Failure::new(FailureKind::Timeout, others.describe(expected, limit))),
    }
}

async fn find(
    connection: &mut Connection,
    expected: &Expected<'_>,
    others: &Others,
    task: &Task,
) -> Result<Message, Failure> {
    loop {
        let message = connection.next(task).await?;
        if expected.accepts(&message) {
            connection.came(task);
            return Ok(message);
        }
        match message {
            Message::Close(frame) if expected.is_close() => {
                let got = mishap::code(frame.as_ref());
                return Err(Failure::status(format!("expected {expected}, got one {got}")));
            }
            Message::Close(frame) => return Err(mishap::closed(frame.as_ref())),
            other => others.note(&other),
        }
    }
}

impl Others {
    fn note(&self, message: &Message) {
        self.count.set(self.count.get() + 1);
        self.last.replace(Some(mishap::shown(message)));
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
    fn what_came_instead_is_told() {
        let others = Others::default();
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
