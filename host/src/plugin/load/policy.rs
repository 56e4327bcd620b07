//! From a script's entry to a plugin's policy. A built-in plugin may also reach the hosts that the script itself names.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::net::{Grant, Grants};
use crate::plugin::instance::limits::Limits;
use crate::plugin::policy::PluginPolicy;
use crate::script::model::{Isolation, PluginLimits, PluginSpec, Spanned};
use crate::script::value_of;

const GRANT_HELP: &str = "write a host such as `site.example`, `*.site.example:443`, `10.0.0.0/8` or `[::1]:8080`";

/// Returns the policy of a plugin by its entry. The hosts that a built-in plugin may reach by its steps are not in it.
///
/// # Errors
/// Texts in its list of hosts that are not hosts.
pub(crate) fn plugin_policy(
    name: &str,
    entry: Option<&PluginSpec>,
    source: &Arc<SourceText>,
) -> Result<PluginPolicy, Diagnostics> {
    let mut policy = PluginPolicy::new(name);
    let Some(entry) = entry else { return Ok(policy) };
    let mut diagnostics = Diagnostics::default();
    let granted =
        entry.allow.iter().filter_map(|host| diagnostics.absorb(grant(host, source).map_err(Diagnostics::from)));
    policy.grants = granted.collect::<Vec<_>>().into_iter().collect();
    policy.limits = limits(&entry.limits);
    policy.instance_per_user = value_of(entry.isolation.as_ref()) == Some(Isolation::User);
    diagnostics.into_result(policy)
}

/// Parses the grants of `--allow-host`.
///
/// # Errors
/// All texts that are not hosts.
pub(crate) fn parse_allowed_hosts(hosts: &[String]) -> Result<Vec<Grant>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let grants = hosts.iter().filter_map(|host| {
        let wrong = || Diagnostic::new("usage::allow-host", format!("`{host}` is not a host")).help(GRANT_HELP);
        diagnostics.absorb(host.parse::<Grant>().map_err(|_| Diagnostics::from(wrong())))
    });
    let grants = grants.collect();
    diagnostics.into_result(grants)
}

/// Returns the grants of a built-in plugin: those of its entry, and these hosts.
pub(crate) fn with_hosts(grants: &Grants, hosts: impl Iterator<Item = Grant>) -> Grants {
    grants.iter().cloned().chain(hosts).collect()
}

fn grant(host: &Spanned<String>, source: &Arc<SourceText>) -> Result<Grant, Diagnostic> {
    host.value.parse().map_err(|_| {
        let message = format!("`{}` is not a host", host.value);
        Diagnostic::new("script::host", message).at(source, host.span, "not a host").help(GRANT_HELP)
    })
}

/// Returns the limits that the script sets, with defaults for the others.
fn limits(given: &PluginLimits) -> Limits {
    let default = Limits::default();
    let bytes = |given: Option<&Spanned<u64>>, default: usize| {
        value_of(given).map_or(default, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    Limits {
        memory: bytes(given.memory.as_ref(), default.memory),
        call: value_of(given.call.as_ref()).unwrap_or(default.call),
        operations: value_of(given.operations.as_ref()).map_or(default.operations, |count| count as usize),
        copied: bytes(given.copied.as_ref(), default.copied),
        log_lines: value_of(given.log_lines.as_ref()).unwrap_or(default.log_lines),
    }
}
