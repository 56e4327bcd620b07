//! The protocol of the control socket: one JSON object per line, answered by one line.
//!
//! ```text
//! {"scale": 1.5}                        {"scale": 2, "scenario": "browse"}
//! {"pause": true}    {"pause": false}   {"stop": true}    {"status": true}
//! ```
//!
//! The answer is the status of the run, or `{"error": "…"}`.

use serde::{Deserialize, Serialize};

use crate::run::load_controller::{ControlRequest, RunStatus};

/// A request line as received.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
struct ControlMessage {
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

/// The message for a line that contains no request, or several.
const USAGE: &str = "one of `scale`, `pause`, `stop: true` and `status: true` is needed";

/// Decodes a request.
///
/// # Errors
/// The line is not a valid request. The error says why.
pub(crate) fn decode_request(line: &str) -> Result<ControlRequest, String> {
    let line: ControlMessage = serde_json::from_str(line).map_err(|error| {
        let text = error.to_string();
        text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned()
    })?;
    if line.scenario.is_some() && line.scale.is_none() {
        return Err("`scenario` goes with `scale`".into());
    }
    match line {
        ControlMessage { scale: Some(scale), scenario, pause: None, stop: None, status: None } => {
            Ok(ControlRequest::Scale(scale, scenario))
        }
        ControlMessage { pause: Some(pause), scale: None, stop: None, status: None, .. } => {
            Ok(ControlRequest::Pause(pause))
        }
        ControlMessage { stop: Some(true), scale: None, pause: None, status: None, .. } => Ok(ControlRequest::Stop),
        ControlMessage { status: Some(true), scale: None, pause: None, stop: None, .. } => Ok(ControlRequest::Status),
        _ => Err(USAGE.into()),
    }
}

/// Encodes a request as a line.
pub(crate) fn encode_request(request: &ControlRequest) -> String {
    let line = match request.clone() {
        ControlRequest::Scale(scale, scenario) => {
            ControlMessage { scale: Some(scale), scenario, ..ControlMessage::default() }
        }
        ControlRequest::Pause(pause) => ControlMessage { pause: Some(pause), ..ControlMessage::default() },
        ControlRequest::Stop => ControlMessage { stop: Some(true), ..ControlMessage::default() },
        // Only keys and the driver of a fleet send the others, and they do so within the process, so none is ever
        // encoded.
        ControlRequest::Status
        | ControlRequest::Shift(_)
        | ControlRequest::TogglePause
        | ControlRequest::Steer(_)
        | ControlRequest::EndArrivals(_)
        | ControlRequest::Abort => ControlMessage { status: Some(true), ..ControlMessage::default() },
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// Encodes an answer as a line.
pub(crate) fn encode_reply(result: Result<RunStatus, String>) -> String {
    let line = match result {
        Ok(status) => serde_json::to_string(&status),
        Err(error) => serde_json::to_string(&ControlError { error }),
    };
    line.unwrap_or_default()
}

/// The answer to a rejected request.
#[derive(Debug, Serialize, Deserialize)]
struct ControlError {
    error: String,
}

/// Returns the reason in an answer that rejects a request; `None` for any other answer.
pub(super) fn decode_error(line: &str) -> Option<String> {
    serde_json::from_str::<ControlError>(line).ok().map(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_request() {
        let expected = [
            (r#"{"scale": 1.5}"#, Ok(ControlRequest::Scale(1.5, None))),
            (r#"{"scale": 2, "scenario": "browse"}"#, Ok(ControlRequest::Scale(2.0, Some("browse".into())))),
            (r#" {"pause": true} "#, Ok(ControlRequest::Pause(true))),
            (r#"{"pause": false}"#, Ok(ControlRequest::Pause(false))),
            (r#"{"stop": true}"#, Ok(ControlRequest::Stop)),
            (r#"{"status": true}"#, Ok(ControlRequest::Status)),
            (r#"{"stop": false}"#, Err(USAGE)),
            ("{}", Err(USAGE)),
            (r#"{"pause": true, "stop": true}"#, Err(USAGE)),
            (r#"{"pause": true, "scenario": "browse"}"#, Err("`scenario` goes with `scale`")),
            (r#"{"scale": "much"}"#, Err("invalid type: string \"much\", expected f64")),
            ("", Err("EOF while parsing a value")),
            ("stop", Err("expected value")),
        ];
        for (line, request) in expected {
            assert_eq!(decode_request(line), request.map_err(str::to_owned), "{line}");
        }
        assert!(decode_request(r#"{"speed": 1}"#).unwrap_err().starts_with("unknown field `speed`"));
    }

    #[test]
    fn an_encoded_request_decodes_unchanged() {
        for wanted in [
            ControlRequest::Scale(0.1, None),
            ControlRequest::Scale(3.0, Some("b\n\"".into())),
            ControlRequest::Pause(true),
            ControlRequest::Pause(false),
            ControlRequest::Stop,
            ControlRequest::Status,
        ] {
            let line = encode_request(&wanted);
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(decode_request(&line), Ok(wanted));
        }
        assert_eq!(decode_error(&encode_reply(Err("no \"way\"".into()))).as_deref(), Some("no \"way\""));
    }
}
