//! The name of this machine, as the names of processes and messages begin.

/// Returns the name of the host, as far as it is known.
pub(super) fn machine_name() -> String {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    #[cfg(unix)]
    let system = rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
    #[cfg(not(unix))]
    let system = variable("COMPUTERNAME");
    system.or_else(|| variable("HOSTNAME")).unwrap_or_else(|| "node".into())
}
