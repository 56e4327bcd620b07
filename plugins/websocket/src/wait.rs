//! Waiting for the message that a step expects.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use stampede_plugin::{Failure, FailureKind, Task};
use tungstenite::Message;

use crate::connection::Connection;
use crate::incoming::Expected;
use crate::mishap;

/// What came instead, for the words of a failure.
#[derive(Default)]
struct Others {
    count: Cell<u64>,
    last: RefCell<Option<String>>,
}

/// Waits for the first message that is as expected, no longer than `within` if there is such a limit. Others are passed
/// over, but for the server's goodbye, after which nothing comes.
pub async fn wait(
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

    fn describe(&self, expected: &Expected<'_>, limit: Duration) -> String {
        let begin = format!("expected {expected} within {limit:?}, got");
        match (self.count.get(), self.last.borrow().as_deref()) {
            (1, Some(last)) => format!("{begin} {last}"),
            (count, Some(last)) => format!("{begin} {count} others, the last {last}"),
            (_, None) => format!("{begin} none"),
        }
    }
}
