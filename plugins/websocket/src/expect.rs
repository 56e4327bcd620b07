//! `websocket.expect`: a message that another user, the server or an earlier step has caused.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::parameters::{Save, TimeSpan};
use stampede_plugin::{Action, ConfigError, Outcome, PerUser, Task};

use crate::connection::Connection;
use crate::incoming::Incoming;
use crate::wait::Wait;

/// The parameters of `websocket.expect`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectParams {
    /// Conditions on the message: a text in it, or `{contains: …, regex: …, json: …, equals: …, kind: …, code: …}`; any
    /// message if absent.
    expect: Option<Incoming>,
    /// The time limit of the wait; the step's `timeout` if absent. The connection survives this limit, and not the
    /// step's.
    within: Option<TimeSpan>,
    /// Variables to set from it: `{name: {json: …}}` or `{name: {regex: …}}`.
    #[serde(default)]
    save: Save,
}

/// `websocket.expect`: waits for a message.
pub(crate) struct Expect {
    wait: Wait,
    open: PerUser<Connection>,
}

impl Action for Expect {
    const NAME: &'static str = "websocket.expect";
    const SUMMARY: &'static str = "waits for a message on the user's WebSocket";
    const SETS_VARIABLES: bool = true;
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/websocket.expect.json"));
    type Params = ExpectParams;

    fn configure(params: ExpectParams) -> Result<Self, ConfigError> {
        Ok(Self { wait: Wait::new(params.expect, params.within, params.save), open: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let mut connection = Connection::of_user(&self.open, task)?;
        connection.begin(task).await?;
        self.wait.on_open(connection, &self.open, task).await
    }
}
