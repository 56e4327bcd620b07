//! `websocket.send`: a message, and its answer if the step expects one.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::parameters::{Save, TimeSpan};
use stampede_plugin::{Action, ConfigError, Outcome, PerUser, Task};

use crate::connection::Connection;
use crate::incoming::Incoming;
use crate::outgoing::Outgoing;
use crate::wait::Wait;

/// The parameters of `websocket.send`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendParams {
    /// The message: a text, or `{json: …}`, `{hex: …}`, `{base64: …}` or `{ping: …}`.
    send: Outgoing,
    /// The answer to wait for: a text in the message, or
    /// `{contains: …, regex: …, json: …, equals: …, kind: …, code: …}`; does not wait if absent.
    expect: Option<Incoming>,
    /// The time limit of the wait; the step's `timeout` if absent. The connection survives this limit, and not the
    /// step's.
    within: Option<TimeSpan>,
    /// Variables to set from it: `{name: {json: …}}` or `{name: {regex: …}}`.
    #[serde(default)]
    save: Save,
}

/// `websocket.send`: sends a message, and waits for the answer if one is expected.
pub(crate) struct Send {
    send: Outgoing,
    wait: Option<Wait>,
    open: PerUser<Connection>,
}

impl Action for Send {
    const NAME: &'static str = "websocket.send";
    const SUMMARY: &'static str = "sends a message over the user's WebSocket, and waits for an answer";
    const SETS_VARIABLES: bool = true;
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/websocket.send.json"));
    type Params = SendParams;

    fn configure(params: SendParams) -> Result<Self, ConfigError> {
        let wait = Wait::if_any(params.expect, params.within, params.save)?;
        Ok(Self { send: params.send, wait, open: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let message = self.send.render(task)?;
        let mut connection = Connection::of_user(&self.open, task)?;
        connection.send(message, task).await?;
        match &self.wait {
            Some(wait) => wait.on_open(connection, &self.open, task).await,
            None => {
                self.open.put(task, connection);
                Ok(())
            }
        }
    }
}
