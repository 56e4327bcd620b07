//! What one virtual user keeps between its exchanges, and how long. Dropping it closes the user's connections.

use std::cell::Cell;

use super::connections::Connections;
use super::cookies::Cookies;

/// How long a user keeps what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifespan {
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
pub struct Retention {
    /// Its cookies, for an iteration at least.
    pub cookies: Lifespan,
    /// Its connections.
    pub connections: Lifespan,
}

/// The connections and cookies of one user; empty and without allocations at first.
#[derive(Default)]
pub struct HttpSession {
    pub(super) connections: Connections,
    /// The user's cookies.
    pub cookies: Cookies,
    retention: Cell<Retention>,
}

impl HttpSession {
    /// Says how long cookies and connections are kept.
    pub fn set_retention(&self, keeps: Retention) {
        self.retention.set(keeps);
        self.connections.set_single_use(keeps.connections == Lifespan::Request);
    }

    /// An iteration begins: what lasts no longer than one is gone, but for the cookies of the sign-in. Nothing may be
    /// under way.
    pub fn begin_iteration(&self) {
        let Retention { cookies, connections } = self.retention.get();
        if connections == Lifespan::Iteration {
            self.connections.close();
        }
        if cookies != Lifespan::User {
            self.cookies.restore();
        }
    }

    /// The user has signed in: it begins its later iterations with the cookies that it has now.
    pub fn save_login_cookies(&self) {
        if self.retention.get().cookies != Lifespan::User {
            self.cookies.save();
        }
    }
}
