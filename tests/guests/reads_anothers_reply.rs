//! The first user fetches a page and keeps its reply; the second asks for the reply by the number that the first got.

use std::cell::Cell;

use stampede_guests::{Misbehaviour, Progress, get, guest, http, timer, user};

/// The guest.
pub struct ReadsAnothersReply;

thread_local! {
    /// The number of the first user's reply, once it is there.
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
            // A reply is kept as long as its task, so this one goes on until the other one has ended the instance.
            (0, Some(_)) | (_, None) => drop(timer::sleep(20_000_000)),
            (_, Some(reply)) => drop(http::body(reply)),
        }
        Progress::Pending
    }
}

guest!(ReadsAnothersReply);
