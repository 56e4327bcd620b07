//! Sockets that were dropped where their user was not the current one, for example when the host ended the task that
//! held them. The host closes only sockets of the current user, so they are closed when the next task of their user
//! begins.

use std::cell::RefCell;

use crate::UserId;
use crate::bindings::{sockets, user};

thread_local! {
    /// Users and sockets. Empty except for moments after a timeout.
    static LEFT_OPEN: RefCell<Vec<(UserId, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Remembers a socket to close. When a native test's thread ends the list is gone already.
pub(super) fn keep(user: UserId, socket: u32) {
    let _ = LEFT_OPEN.try_with(|list| list.borrow_mut().push((user, socket)));
}

/// Closes the sockets of the current user, at the beginning of a task. The list is empty in the usual case.
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

/// Drops the sockets of a user who is gone: the host has closed them.
pub(crate) fn forget_user(gone: UserId) {
    LEFT_OPEN.with_borrow_mut(|list| list.retain(|(user, _)| *user != gone));
}

/// Drops all sockets, to begin like a new instance.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn reset() {
    LEFT_OPEN.take();
}
