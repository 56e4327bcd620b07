//! Connections and cookies that one virtual user keeps between its exchanges, and how long it keeps them.

use std::cell::Cell;
use std::rc::Rc;

use stampede_time::{Nanos, Timers};

use super::connections::Connections;
use super::cookies::Cookies;
use super::passage::TimedLink;
use crate::net::{ConnectionOwner, Link};

/// Lifespan of something that a user keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifespan {
    /// Kept as long as the user exists.
    #[default]
    User,
    /// Kept until the next iteration begins.
    Iteration,
    /// Kept for one request.
    Request,
}

/// Lifespans of a user's cookies and connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Lifespan of its cookies, an iteration at least.
    pub cookies: Lifespan,
    /// Lifespan of its connections.
    pub connections: Lifespan,
}

/// The connections and cookies of one user; empty and without allocations at first. Dropping it closes the connections.
#[derive(Default)]
pub struct HttpSession {
    pub(super) connections: Connections,
    /// The user's cookies.
    pub cookies: Cookies,
    retention: Cell<Retention>,
}

impl HttpSession {
    /// Creates the session of a user.
    pub fn new(user: u32) -> Self {
        Self { connections: Connections::new(user), ..Self::default() }
    }

    /// Sets how long cookies and connections are kept.
    pub fn set_retention(&self, keeps: Retention) {
        self.retention.set(keeps);
        self.connections.set_single_use(keeps.connections == Lifespan::Request);
    }

    /// Gives the user a link, over which the contents of its replies come from now on, with the timers of its worker.
    pub(crate) fn set_link(&self, link: Link, timers: &Rc<Timers>) {
        self.connections.set_link(TimedLink::new(link, Rc::clone(timers)));
    }

    /// Notes that the user sends something, from which on a trace of its link counts.
    pub(crate) fn begin_on_link(&self, now: Nanos) {
        self.link().iter().for_each(|link| link.link().begin(now));
    }

    /// Returns the user's link, if it has one.
    pub(crate) fn link(&self) -> Option<&TimedLink> {
        self.connections.link()
    }

    /// Returns the part of the user that opening a connection depends on.
    pub(crate) fn connection_owner(&self) -> ConnectionOwner {
        self.connections.owner()
    }

    /// Begins an iteration: drops what is kept for one iteration only, except the cookies of the sign-in. No exchange
    /// may be under way.
    pub fn begin_iteration(&self) {
        let Retention { cookies, connections } = self.retention.get();
        if connections == Lifespan::Iteration {
            self.connections.close();
        }
        if cookies != Lifespan::User {
            self.cookies.restore();
        }
    }

    /// Saves the cookies after a sign-in: later iterations begin with them.
    pub fn save_login_cookies(&self) {
        if self.retention.get().cookies != Lifespan::User {
            self.cookies.save();
        }
    }
}
