//! The conditions under which a run can be divided: the segments must agree on what is random, and each must have
//! users.

use crate::cli::RunArgs;
use crate::diagnostic::Diagnostic;
use crate::script::model::Script;
use crate::segment::Segment;

/// Checks that segments have a seed that they can agree on.
///
/// # Errors
/// `usage::segment` if the seed would be a random one.
pub(super) fn check_seed(args: &RunArgs, script: &Script) -> Result<(), Diagnostic> {
    let has_seed = args.seed.is_some() || script.settings.seed.is_some();
    match args.division.segment {
        Some(segment) if !segment.is_whole() && !has_seed => {
            let message = format!("segment {segment} has no seed that it shares with the others");
            Err(Diagnostic::new("usage::segment", message)
                .help("give all of them one: `--seed 1`, or `seed` in the script"))
        }
        _ => Ok(()),
    }
}

/// Checks that a segment has at least one of the users.
///
/// # Errors
/// `usage::segment` if it has none.
pub(super) fn check_users(segment: Segment, users: u32) -> Result<(), Diagnostic> {
    if users == 0 || segment.users().users_below(users) > 0 {
        return Ok(());
    }
    let (message, users) = match users {
        1 => (format!("segment {segment} has no users: the run has one in all"), "do not divide the run".to_owned()),
        _ => {
            let message = format!("segment {segment} has no users: the run has {users} in all");
            (message, format!("divide the run into at most {users} segments, or give it more users"))
        }
    };
    Err(Diagnostic::new("usage::segment", message).help(users))
}
