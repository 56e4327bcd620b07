//! Stages and rates: `1m:100` is a ramp to 100 users within a minute, `30s:500/s` one to 500 iterations per second,
//! `500/s` is a rate. The command line and scripts share them.

use std::time::Duration;

use super::duration::parse_duration;

/// A stage as typed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageSpec {
    /// Its length; zero is a jump.
    pub duration: Duration,
    /// The load at its end.
    pub target: StageTarget,
}

/// The load at the end of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StageTarget {
    /// A number of users.
    Users(u32),
    /// Iterations begun per second.
    Rate(f64),
}

/// The highest rate per second: one iteration in a nanosecond.
const MAX_RATE: f64 = 1e9;

/// Parses `DURATION:TARGET`.
///
/// # Errors
/// The text is not a stage. The error is the end of a sentence about the value.
pub(crate) fn parse_stage(text: &str) -> Result<StageSpec, String> {
    let (duration, target) =
        text.split_once(':').ok_or("must be `DURATION:USERS` or `DURATION:RATE`, such as `1m:100` or `1m:100/s`")?;
    let duration = parse_duration(duration.trim()).map_err(|error| error.to_string())?;
    Ok(StageSpec { duration, target: parse_target(target.trim())? })
}

/// Parses several stages, separated by commas.
///
/// # Errors
/// One of them is not a stage. The error is the end of a sentence about the value.
pub(crate) fn parse_stages(text: &str) -> Result<Vec<StageSpec>, String> {
    text.split(',').map(|stage| parse_stage(stage.trim())).collect()
}

/// Parses the target of a stage: a whole number of users, or a rate.
///
/// # Errors
/// The text is neither. The error is the end of a sentence about the value.
pub(crate) fn parse_target(text: &str) -> Result<StageTarget, String> {
    if text.contains('/') {
        return parse_rate(text).map(StageTarget::Rate);
    }
    text.parse()
        .map(StageTarget::Users)
        .map_err(|_| "must be a whole number of users, such as `100`, or a rate, such as `100/s`".to_owned())
}

/// Parses a rate such as `500/s`, `30/m` or `0.5/h`, and returns it per second.
///
/// # Errors
/// The text is not a rate from 0 to 1e9 per second. The error is the end of a sentence about the value.
pub(crate) fn parse_rate(text: &str) -> Result<f64, String> {
    let (number, unit) = text.split_once('/').ok_or("needs a unit: `500/s`, `500/m` or `500/h`")?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("needs a unit: `/s`, `/m` or `/h`".into()),
    };
    let number: f64 = number.trim().parse().map_err(|_| "must be a number and a unit, such as `500/s`")?;
    let rate = number / seconds;
    if (0.0..=MAX_RATE).contains(&rate) { Ok(rate) } else { Err("must be from 0 to 1e9 per second".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_lead_to_users_or_rates() {
        let stage = |seconds, target| StageSpec { duration: Duration::from_secs(seconds), target };
        for (text, expected) in [
            ("1m:100", stage(60, StageTarget::Users(100))),
            ("0s:0", stage(0, StageTarget::Users(0))),
            ("1h 30m : 5", stage(5400, StageTarget::Users(5))),
            ("30s:500/s", stage(30, StageTarget::Rate(500.0))),
            ("30s:90/m", stage(30, StageTarget::Rate(1.5))),
        ] {
            assert_eq!(parse_stage(text), Ok(expected), "{text}");
        }
        assert_eq!(parse_stages("1m:1,2m:2").map(|all| all.len()), Ok(2));
    }

    #[test]
    fn invalid_stages_are_rejected_with_the_reason() {
        for (text, expected) in [
            ("1m", "must be `DURATION:USERS`"),
            ("100:1m", "needs a unit"),
            ("1m:", "whole number of users"),
            ("1m:1.5", "whole number of users"),
            ("1m:-1", "whole number of users"),
            ("1m:5/x", "needs a unit: `/s`"),
            ("1m:-5/s", "must be from 0 to 1e9"),
            ("1m:NaN/s", "must be from 0 to 1e9"),
            ("1m:x/s", "must be a number and a unit"),
        ] {
            let error = parse_stage(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
