//! On which terms a plugin runs: what its entry in the script says, and for a built-in plugin the hosts that the script
//! itself names.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::net::{Grant, Grants};
use crate::plugin::instance::limits::Limits;
use crate::plugin::policy::Terms;
use crate::script::model::{Isolation, PluginEntry, PluginLimits, Spanned};
use crate::script::value_of;

const GRANT_HELP: &str = "write a host such as `site.example`, `*.site.example:443`, `10.0.0.0/8` or `[::1]:8080`";

/// The terms of a plugin. What a built-in one may reach besides, only its steps tell.
///
/// # Errors
/// A host in its list is none.
pub fn terms(name: &str, entry: Option<&PluginEntry>, source: &Arc<Source>) -> Result<Terms, Diagnostics> {
    let mut terms = Terms::new(name);
    let Some(entry) = entry else { return Ok(terms) };
    let mut found = Diagnostics::default();
    let granted = entry.allow.iter().filter_map(|host| found.absorb(grant(host, source).map_err(Diagnostics::from)));
    terms.grants = granted.collect::<Vec<_>>().into_iter().collect();
    terms.limits = limits(&entry.limits);
    terms.instance_per_user = value_of(entry.isolation.as_ref()) == Some(Isolation::User);
    found.into_result(terms)
}

/// The grants of `--allow-host`.
///
/// # Errors
/// All that are none.
pub fn allowed(hosts: &[String]) -> Result<Vec<Grant>, Diagnostics> {
    let mut found = Diagnostics::default();
    let grants = hosts.iter().filter_map(|host| {
        let wrong = || Diagnostic::new("usage::allow-host", format!("`{host}` is no host")).help(GRANT_HELP);
        found.absorb(host.parse::<Grant>().map_err(|_| Diagnostics::from(wrong())))
    });
    let grants = grants.collect();
    found.into_result(grants)
}

/// What a built-in plugin may reach: what its entry grants, and these hosts.
pub fn also(grants: &Grants, hosts: impl Iterator<Item = Grant>) -> Grants {
    grants.iter().cloned().chain(hosts).collect()
}

fn grant(host: &Spanned<String>, source: &Arc<Source>) -> Result<Grant, Diagnostic> {
    host.value.parse().map_err(|_| {
        let message = format!("`{}` is no host", host.value);
        Diagnostic::new("script::host", message).at(source, host.span, "not a host").help(GRANT_HELP)
    })
}

/// The defaults, but for what was typed.
fn limits(given: &PluginLimits) -> Limits {
    let default = Limits::default();
    let bytes = |given: Option<&Spanned<u64>>, default: usize| {
        value_of(given).map_or(default, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    Limits {
        memory: bytes(given.memory.as_ref(), default.memory),
        call: value_of(given.call.as_ref()).unwrap_or(default.call),
        operations: value_of(given.operations.as_ref()).map_or(default.operations, |most| most as usize),
        copied: bytes(given.copied.as_ref(), default.copied),
        log_lines: value_of(given.log_lines.as_ref()).unwrap_or(default.log_lines),
    }
}
