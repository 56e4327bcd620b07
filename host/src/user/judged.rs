//! The exchange whose sample is open, kept until it is judged: a guest may drop a reply before it says what is wrong
//! with it. It is only read if the exchange is to be shown.

use std::cell::{Cell, RefCell};

use super::operation::{CompletedExchange, OperationId};

/// The exchange that is judged, and what was said of it.
#[derive(Default)]
pub struct JudgedExchange {
    /// Its operation, as long as the guest may fetch the completion.
    id: Cell<Option<OperationId>>,
    /// The exchange, once the guest has dropped the completion.
    left: RefCell<Option<Box<CompletedExchange>>>,
    /// The reason of its failure; empty if there is none, or none that is to be shown.
    reason: RefCell<String>,
    /// Captures and checks, a line each, in a trial.
    notes: RefCell<Vec<String>>,
}

impl JudgedExchange {
    /// Forgets the exchange.
    pub(super) fn clear(&self) {
        self.id.set(None);
        self.left.borrow_mut().take();
        self.reason.borrow_mut().clear();
        self.notes.borrow_mut().clear();
    }

    /// Notes that the exchange of an operation is judged from now on.
    pub fn set(&self, id: OperationId) {
        self.id.set(Some(id));
        self.left.borrow_mut().take();
    }

    /// Returns the operation of the exchange, if its completion is kept there.
    pub(super) fn id(&self) -> Option<OperationId> {
        self.id.get()
    }

    /// Returns `true` if an exchange is judged.
    pub(super) fn has_exchange(&self) -> bool {
        self.id.get().is_some() || self.left.borrow().is_some()
    }

    /// Keeps an exchange whose completion has been dropped, if it is the one that is judged.
    pub(super) fn leave(&self, id: OperationId, exchange: Box<CompletedExchange>) {
        if self.id.get() == Some(id) {
            self.id.set(None);
            *self.left.borrow_mut() = Some(exchange);
        }
    }

    /// Keeps an exchange that has no completion.
    pub(super) fn put(&self, exchange: Box<CompletedExchange>) {
        self.id.set(None);
        *self.left.borrow_mut() = Some(exchange);
    }

    /// Takes the exchange whose completion has been dropped.
    pub(super) fn take_left(&self) -> Option<Box<CompletedExchange>> {
        self.left.borrow_mut().take()
    }

    /// Sets the reason of the failure.
    pub(super) fn set_reason(&self, reason: &str) {
        reason.clone_into(&mut self.reason.borrow_mut());
    }

    /// Returns the reason of the failure.
    pub(super) fn reason(&self) -> String {
        self.reason.borrow().clone()
    }

    /// Adds a line about the exchange.
    pub(super) fn note(&self, line: String) {
        self.notes.borrow_mut().push(line);
    }

    /// Takes the lines about the exchange.
    pub(super) fn take_notes(&self) -> Vec<String> {
        self.notes.take()
    }
}
