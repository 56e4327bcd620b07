//! Fetches a page for the first user and keeps its reply; for the second user, asks for that reply by its number.

use std::cell::Cell;

use stampede_guests::{Misbehaviour, Progress, get, guest, http, timer, user};

/// The guest.
pub struct ReadsAnothersReply;

thread_local! {
    /// The number of the first user's reply, once it has arrived.
    static REPLY: Cell<Option<u32>> = const { Cell::new(None) };
}

impl Misbehaviour for ReadsAnothersReply {
    fn start(_: u32, _: u32) -> Progress {
        if user::id() == 0 {
            http::send_dynamic(&get("/api/v1/catalog"));
        } else {
            timer::sleep(1_000_000);
        }
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        match (user::id(), REPLY.get()) {
            (0, None) => {
                assert!(!http::body(operation).is_empty(), "one's own reply can be read");
                REPLY.set(Some(operation));
                timer::sleep(1_000_000);
            }
            // A reply is kept as long as its task, so this task goes on until the other has ended the instance.
            (0, Some(_)) | (_, None) => drop(timer::sleep(20_000_000)),
            (_, Some(reply)) => drop(http::body(reply)),
        }
        Progress::Pending
    }
}

guest!(ReadsAnothersReply);
