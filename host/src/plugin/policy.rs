//! The policy of one plugin, from the script: the hosts that it may reach, its limits, and whether users share an
//! instance of it.

use std::sync::Arc;

use super::instance::limits::Limits;
use crate::net::Grants;

/// The policy that a plugin runs under.
#[derive(Clone, Debug)]
pub struct PluginPolicy {
    /// The name the script gave the plugin, or the built-in's own.
    pub name: Arc<str>,
    /// The hosts that it may reach.
    pub grants: Grants,
    /// Its limits.
    pub limits: Limits,
    /// True when each user has an instance of its own, instead of sharing that of its worker.
    pub instance_per_user: bool,
}

impl PluginPolicy {
    /// Returns the policy of a plugin that the script does not mention: it may reach no host.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), grants: Grants::default(), limits: Limits::default(), instance_per_user: false }
    }
}
