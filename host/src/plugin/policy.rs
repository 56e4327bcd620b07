//! What the script says of one plugin besides its steps: which hosts it may reach, what it may use, and who shares an
//! instance of it.

use std::sync::Arc;

use super::instance::limits::Limits;
use crate::net::Grants;

/// The terms that a plugin runs on.
#[derive(Clone, Debug)]
pub struct PluginPolicy {
    /// The name the script gave the plugin, or the built-in's own.
    pub name: Arc<str>,
    /// The hosts that it may reach.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
    /// Whether each user has an instance of its own, instead of sharing that of its worker.
    pub instance_per_user: bool,
    /// Whether what came of an operation is handed over once, and dropped when it is given up: so since 0.1.2 of the
    /// contract. Components of earlier ones may ask again.
    pub takes_once: bool,
}

impl PluginPolicy {
    /// The terms of a plugin that the script says nothing about: it may reach nobody.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            grants: Grants::default(),
            limits: Limits::default(),
            instance_per_user: false,
            takes_once: true,
        }
    }
}
