//! The exit codes of the process. The help text lists them, and scripts in a continuous-integration job may rely on the
//! numbers. A number never gets a second meaning.

use std::process::ExitCode;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// The command succeeded, and the thresholds held.
    Success = 0,
    /// A bug, that is a failure that no input should be able to cause; or the report could not be written at the end of
    /// a run that has no other code, for example because the disk was full.
    Internal = 1,
    /// The command line or the environment is wrong. No traffic was sent. The number is clap's own.
    Usage = 2,
    /// The script, or a file it names, is wrong. No traffic was sent.
    Script = 3,
    /// A component could not be loaded, or speaks another version of the contract. No traffic was sent.
    Plugin = 4,
    /// Requests failed, and none could be sent: names, connections or TLS failed.
    TargetUnreached = 5,
    /// The script has a login, and no user passed it.
    SignInFailed = 6,
    /// A case of `plugin test` failed.
    CasesFailed = 7,
    /// A step of the script's set-up failed, and there was no load.
    SetupFailed = 8,
    /// The run came to its end, and requests failed in the way that `--fail-on` names.
    RequestsFailed = 9,
    /// The result is not known, because parts of the run are missing.
    Inconclusive = 10,
    /// The machines of a fleet did not come together: there was no load, or this machine had no part in it.
    FleetFailed = 11,
    /// A threshold did not hold, which outranks most other codes; or a run was worse than another.
    ThresholdsFailed = 99,
    /// Interrupted by a signal. 128 + 2, as shells count it.
    Interrupted = 130,
}

impl Exit {
    /// All codes, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Success,
        Self::Internal,
        Self::Usage,
        Self::Script,
        Self::Plugin,
        Self::TargetUnreached,
        Self::SignInFailed,
        Self::CasesFailed,
        Self::SetupFailed,
        Self::RequestsFailed,
        Self::Inconclusive,
        Self::FleetFailed,
        Self::ThresholdsFailed,
        Self::Interrupted,
    ];

    /// Returns the number for the operating system.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the meaning of the number, in a few words for the help text.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done",
            Self::Internal => "the report could not be written, or an internal error (please report it)",
            Self::Usage => "wrong usage",
            Self::Script => "bad script",
            Self::Plugin => "a plugin would not load",
            Self::TargetUnreached => "the target was never reached",
            Self::SignInFailed => "no user signed in",
            Self::CasesFailed => "a case of `plugin test` failed",
            Self::SetupFailed => "the set-up failed",
            Self::RequestsFailed => "requests failed (see --fail-on)",
            Self::Inconclusive => "parts of the run are missing",
            Self::FleetFailed => "the machines of a fleet did not come together",
            Self::ThresholdsFailed => "a threshold failed, or the run was worse than its baseline",
            Self::Interrupted => "interrupted",
        }
    }

    /// Returns the meaning of the number, in full for the reference.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Success => "everything was done, and all thresholds held",
            Self::Internal => {
                "the report of a run without another code could not be written; or an internal error: please report it"
            }
            Self::Usage => "wrong usage, which sends no traffic; or a run that refuses a request of `control`",
            Self::Script => "the script, or a file that it names, is wrong; no traffic was sent",
            Self::Plugin => "a plugin would not load, or speaks another version of the contract; no traffic was sent",
            Self::TargetUnreached => "the target was never reached: requests failed, and none could be sent",
            Self::SignInFailed => "the script has a sign-in, and no user passed it",
            Self::CasesFailed => "a case or a rule of `plugin test` failed",
            Self::SetupFailed => "a step of the set-up failed, and there was no load",
            Self::RequestsFailed => {
                "requests failed as `--fail-on` says: by default, if there were any and all of them failed"
            }
            Self::Inconclusive => {
                "parts of the run are missing, and no threshold failed in the others: segments of a `merge` without \
                 `--allow-missing`, or machines of a fleet that were lost"
            }
            Self::FleetFailed => {
                "the machines of a fleet did not come together: no NATS server, no machine for a segment, or one that was \
                 refused; or the counts of this machine were lost"
            }
            Self::ThresholdsFailed => {
                "a threshold did not hold, whatever else failed; or the run was worse than its baseline"
            }
            Self::Interrupted => "interrupted by a signal (128 + 2), whatever the thresholds say",
        }
    }

    /// Formats all codes as the last section of `--help`, without a trailing line break.
    pub fn table() -> String {
        Self::ALL
            .iter()
            .fold("Exit codes:".to_owned(), |table, exit| format!("{table}\n  {:>3}  {}", exit.code(), exit.meaning()))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_every_code_once_and_in_order() {
        assert!(Exit::ALL.is_sorted_by(|a, b| a.code() < b.code()));
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99, 130]);
    }

    #[test]
    fn the_table_has_a_line_for_every_code() {
        let table = Exit::table();
        assert!(table.starts_with("Exit codes:\n    0  done\n    1  the report"));
        assert!(table.ends_with("\n  130  interrupted"));
    }
}
