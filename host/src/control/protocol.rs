//! The words of the socket: one JSON object a line, one line back for each.
//!
//! ```text
//! {"scale": 1.5}                        {"scale": 2, "scenario": "browse"}
//! {"pause": true}    {"pause": false}   {"stop": true}    {"status": true}
//! ```
//!
//! The answer says how the run stands then, or `{"error": "…"}`.

use serde::{Deserialize, Serialize};

use crate::run::control::{Request, Status};

/// A line as typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<bool>,
}

/// What is wrong with a line that asks for nothing, or for several things.
const ONE: &str = "one of `scale`, `pause`, `stop: true` and `status: true` is needed";

/// Reads a request.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &str) -> Result<Request, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| {
        let text = error.to_string();
        text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned()
    })?;
    if line.scenario.is_some() && line.scale.is_none() {
        return Err("`scenario` goes with `scale`".into());
    }
    match line {
        Line { scale: Some(scale), scenario, pause: None, stop: None, status: None } => {
            Ok(Request::Scale(scale, scenario))
        }
        Line { pause: Some(pause), scale: None, stop: None, status: None, .. } => Ok(Request::Pause(pause)),
        Line { stop: Some(true), scale: None, pause: None, status: None, .. } => Ok(Request::Stop),
        Line { status: Some(true), scale: None, pause: None, stop: None, .. } => Ok(Request::Status),
        _ => Err(ONE.into()),
    }
}

/// The line of a request.
pub fn request(request: &Request) -> String {
    let line = match request.clone() {
        Request::Scale(scale, scenario) => Line { scale: Some(scale), scenario, ..Line::default() },
        Request::Pause(pause) => Line { pause: Some(pause), ..Line::default() },
        Request::Stop => Line { stop: Some(true), ..Line::default() },
        // These are for keys, which see what comes of them.
        Request::Status | Request::Shift(_) | Request::TogglePause => Line { status: Some(true), ..Line::default() },
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// The line that answers.
pub fn reply(done: Result<Status, String>) -> String {
    let line = match done {
        Ok(status) => serde_json::to_string(&status),
        Err(error) => serde_json::to_string(&Failed { error }),
    };
    line.unwrap_or_default()
}

/// Why a request was not done.
#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    error: String,
}

/// Whether an answer says that a request was not done: why.
pub fn refused(line: &str) -> Option<String> {
    serde_json::from_str::<Failed>(line).ok().map(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_what_they_ask_for() {
        let expected = [
            (r#"{"scale": 1.5}"#, Ok(Request::Scale(1.5, None))),
            (r#"{"scale": 2, "scenario": "browse"}"#, Ok(Request::Scale(2.0, Some("browse".into())))),
            (r#" {"pause": true} "#, Ok(Request::Pause(true))),
            (r#"{"pause": false}"#, Ok(Request::Pause(false))),
            (r#"{"stop": true}"#, Ok(Request::Stop)),
            (r#"{"status": true}"#, Ok(Request::Status)),
            (r#"{"stop": false}"#, Err(ONE)),
            ("{}", Err(ONE)),
            (r#"{"pause": true, "stop": true}"#, Err(ONE)),
            (r#"{"pause": true, "scenario": "browse"}"#, Err("`scenario` goes with `scale`")),
            (r#"{"scale": "much"}"#, Err("invalid type: string \"much\", expected f64")),
            ("", Err("EOF while parsing a value")),
            ("stop", Err("expected value")),
        ];
        for (line, request) in expected {
            assert_eq!(parse(line), request.map_err(str::to_owned), "{line}");
        }
        assert!(parse(r#"{"speed": 1}"#).unwrap_err().starts_with("unknown field `speed`"));
    }

    #[test]
    fn what_the_command_sends_is_what_it_means() {
        for wanted in [
            Request::Scale(0.1, None),
            Request::Scale(3.0, Some("b\n\"".into())),
            Request::Pause(true),
            Request::Pause(false),
            Request::Stop,
            Request::Status,
        ] {
            let line = request(&wanted);
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(parse(&line), Ok(wanted));
        }
        assert_eq!(refused(&reply(Err("no \"way\"".into()))).as_deref(), Some("no \"way\""));
    }
}
