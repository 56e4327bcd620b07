//! `websocket.close`: a close frame, and the server's answer.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::{Action, ConfigError, Failure, Outcome, PerUser, Task, Template};
use tungstenite::protocol::CloseFrame;

use crate::connection::Connection;
use crate::failures;

/// The longest reason of a close frame, in bytes: a control frame has 125, and the code takes two.
const LONGEST_REASON: usize = 123;

/// The parameters of `websocket.close`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseParams {
    /// The code to send, 1000 or 3000 to 4999; 1000 if absent.
    #[serde(default = "normal")]
    #[schemars(range(min = 1000, max = 4999))]
    code: u16,
    /// The reason to send; none if absent.
    reason: Option<Template>,
    /// The code that the server must answer with; any if absent.
    expect_code: Option<u16>,
}

fn normal() -> u16 {
    1000
}

/// `websocket.close`: sends a close frame and waits for the answer.
pub(crate) struct Close {
    params: CloseParams,
    open: PerUser<Connection>,
}

impl Action for Close {
    const NAME: &'static str = "websocket.close";
    const SUMMARY: &'static str = "closes the user's WebSocket and waits for the server's answer";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/websocket.close.json"));
    type Params = CloseParams;

    fn configure(params: CloseParams) -> Result<Self, ConfigError> {
        if !matches!(params.code, 1000 | 3000..=4999) {
            let wrong = ConfigError::new(format!("a client does not send the code {}", params.code));
            return Err(wrong.at("/code").help("use 1000, or one from 3000 to 4999"));
        }
        Ok(Self { params, open: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let reason = self.params.reason.map(|reason| reason.render(task)).unwrap_or_default();
        if reason.len() > LONGEST_REASON {
            return Err(Failure::check(format!("a reason holds {LONGEST_REASON} bytes, got {}", reason.len())));
        }
        let connection = Connection::of_user(&self.open, task)?;
        let answer =
            connection.close(CloseFrame { code: self.params.code.into(), reason: reason.into() }, task).await?;
        match self.params.expect_code {
            Some(code) if answer.as_ref().map(|frame| u16::from(frame.code)) != Some(code) => {
                let got = failures::code(answer.as_ref());
                Err(Failure::status(format!("expected a close frame with code {code}, got one {got}")))
            }
            _ => Ok(()),
        }
    }
}
