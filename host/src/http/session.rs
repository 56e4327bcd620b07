//! What one virtual user keeps between its exchanges. Dropping it closes the user's connections.

use super::connections::Connections;
use super::cookies::Cookies;

/// The connections and cookies of one user; empty and without allocations at first.
#[derive(Default)]
pub struct Session {
    pub(super) connections: Connections,
    /// The user's cookies.
    pub cookies: Cookies,
}
