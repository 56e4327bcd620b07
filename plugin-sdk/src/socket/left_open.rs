//! Sockets that were dropped where their user was not the current one: when the host ended the task that held them,
//! say. The host closes nothing but what the current user owns, so they are closed when a task of that user begins.

use std::cell::RefCell;

use crate::UserId;
use crate::bindings::{sockets, user};

thread_local! {
    /// User and socket. Empty but for the moments after a timeout.
    static LEFT_OPEN: RefCell<Vec<(UserId, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a socket in mind. When a native test's thread ends there is nothing left to keep it in.
pub(super) fn keep(user: UserId, socket: u32) {
    let _ = LEFT_OPEN.try_with(|list| list.borrow_mut().push((user, socket)));
}

/// Closes those of the current user, at the beginning of a task. Costs a look at an empty list in the usual case.
pub(crate) fn close() {
    LEFT_OPEN.with_borrow_mut(|list| {
        if list.is_empty() {
            return;
        }
        let current = user::id();
        list.retain(|(user, socket)| {
            if *user == current {
                sockets::close(*socket);
            }
            *user != current
        });
    });
}

/// The user is gone, and its sockets with it.
pub(crate) fn forget_user(gone: UserId) {
    LEFT_OPEN.with_borrow_mut(|list| list.retain(|(user, _)| *user != gone));
}

/// Forgets all of them, as a new instance would.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn reset() {
    LEFT_OPEN.take();
}
