//! What one virtual user keeps between its exchanges, and how long. Dropping it closes the user's connections.

use std::cell::Cell;

use super::connections::Connections;
use super::cookies::Cookies;

/// How long a user keeps what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lasts {
    /// As long as the user is there.
    #[default]
    User,
    /// Until its next iteration begins.
    Iteration,
    /// For one request.
    Request,
}

/// How long a user keeps its cookies and connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// Its cookies, for an iteration at least.
    pub cookies: Lasts,
    /// Its connections.
    pub connections: Lasts,
}

/// The connections and cookies of one user; empty and without allocations at first.
#[derive(Default)]
pub struct Session {
    pub(super) connections: Connections,
    /// The user's cookies.
    pub cookies: Cookies,
    keeps: Cell<Keeps>,
}

impl Session {
    /// Says how long cookies and connections are kept.
    pub fn keep(&self, keeps: Keeps) {
        self.keeps.set(keeps);
        self.connections.use_once(keeps.connections == Lasts::Request);
    }

    /// An iteration begins: what lasts no longer than one is gone, but for the cookies of the sign-in. Nothing may be
    /// under way.
    pub fn begin_iteration(&self) {
        let Keeps { cookies, connections } = self.keeps.get();
        if connections == Lasts::Iteration {
            self.connections.close();
        }
        if cookies != Lasts::User {
            self.cookies.put_back();
        }
    }

    /// The user has signed in: it begins its later iterations with the cookies that it has now.
    pub fn signed_in(&self) {
        if self.keeps.get().cookies != Lasts::User {
            self.cookies.remember();
        }
    }
}
