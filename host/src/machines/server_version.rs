//! The oldest NATS servers to which a fleet connects over a network.
//!
//! Older ones let a user beyond its permissions: by the administration of JetStream (CVE-2025-30215), by certificates
//! (CVE-2026-33248), or by queue subscriptions (advisory 2026-18). On the same machine they do, for a first try.

use crate::diagnostic::Diagnostic;

/// A version of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ServerVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

/// The first version of each line that has the repairs; later lines have them from the beginning.
const REPAIRED: [ServerVersion; 3] = [
    ServerVersion { major: 2, minor: 11, patch: 16 },
    ServerVersion { major: 2, minor: 12, patch: 7 },
    ServerVersion { major: 2, minor: 14, patch: 0 },
];

impl ServerVersion {
    fn parse(text: &str) -> Option<Self> {
        let core = text.trim_start_matches('v').split(['-', '+']).next()?;
        let mut numbers = core.split('.').map(|number| number.parse().ok());
        Some(Self { major: numbers.next()??, minor: numbers.next()??, patch: numbers.next()?? })
    }

    fn is_repaired(self) -> bool {
        let of_line = |first: &&Self| (first.major, first.minor) == (self.major, self.minor);
        match REPAIRED.iter().find(of_line) {
            Some(first) => self >= *first,
            None => REPAIRED.last().is_some_and(|newest| self >= *newest),
        }
    }
}

/// Checks the version of a server.
///
/// # Errors
/// It is too old to be reached over a network.
pub(super) fn check_version(text: &str, is_loopback: bool) -> Result<(), Diagnostic> {
    if is_loopback || ServerVersion::parse(text).is_some_and(ServerVersion::is_repaired) {
        return Ok(());
    }
    let message = format!(
        "the NATS server has version {}, which lets users beyond their permissions (CVE-2025-30215 and later ones)",
        text.escape_default()
    );
    Err(Diagnostic::new("fleet::server", message).help("use 2.11.16, 2.12.7, 2.14.0 or a later one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_as_old_as_its_line_allows() {
        for (version, expected) in [
            ("2.9.10", false),
            ("2.10.29", false),
            ("2.11.15", false),
            ("2.11.16", true),
            ("2.12.6", false),
            ("2.12.7", true),
            ("2.13.9", false),
            ("2.14.0", true),
            ("2.14.1-RC.1", true),
            ("3.0.0", true),
            ("new", false),
        ] {
            assert_eq!(check_version(version, false).is_ok(), expected, "{version}");
            assert!(check_version(version, true).is_ok(), "on this machine");
        }
    }
}
