//! `websocket`: a whole conversation in one step.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::parameters::Save;
use stampede_plugin::{Action, ConfigError, Fields, Outcome, Task};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::connection::Connection;
use crate::incoming::Incoming;
use crate::metrics::Metrics;
use crate::outgoing::Outgoing;
use crate::target::Target;

use crate::wait::Wait;

/// The parameters of `websocket`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConversationParams {
    /// A `ws://` or `wss://` URL.
    url: String,
    /// Header fields of the handshake.
    #[serde(default)]
    headers: Fields,
    /// Sub-protocols to offer, in order of preference; the server must pick one.
    #[serde(default)]
    protocols: Vec<String>,
    /// The largest message to accept, in bytes; 1048576 if absent.
    #[serde(default = "crate::target::most")]
    #[schemars(range(min = 1, max = 16_777_216))]
    most: usize,
    /// The message to send: a text, or `{json: …}`, `{hex: …}`, `{base64: …}` or `{ping: …}`; none if absent.
    send: Option<Outgoing>,
    /// The answer to wait for: a text in the message, or `{contains: …, regex: …, json: …, equals: …, kind: …}`; does
    /// not wait if absent.
    expect: Option<Incoming>,
    /// Variables to set from it: `{name: {json: …}}` or `{name: {regex: …}}`.
    #[serde(default)]
    save: Save,
}

/// `websocket`: opens a connection, sends a message, waits for one and closes.
pub(crate) struct Conversation {
    target: Target,
    metrics: Metrics,
    send: Option<Outgoing>,
    wait: Option<Wait>,
}

impl Action for Conversation {
    const NAME: &'static str = "websocket";
    const SUMMARY: &'static str = "opens a WebSocket, sends a message, waits for one and closes";
    const SETS_VARIABLES: bool = true;
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/websocket.json"));
    type Params = ConversationParams;

    fn configure(params: ConversationParams) -> Result<Self, ConfigError> {
        let target = Target::new(&params.url, &params.headers, &params.protocols, params.most)?;
        let wait = Wait::if_any(params.expect, None, params.save)?;
        Ok(Self { target, metrics: Metrics::new()?, send: params.send, wait })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let mut connection = Connection::open(&self.target, self.metrics, task).await?;
        if let Some(send) = &self.send {
            connection.send(send.render(task)?, task).await?;
        }
        if let Some(wait) = &self.wait {
            let message = wait.run(&mut connection, task).await?;
            wait.save(&message, task)?;
            if message.is_close() {
                connection.end(task).await;
                return Ok(());
            }
        }
        let frame = CloseFrame { code: CloseCode::Normal, reason: String::new().into() };
        connection.close(frame, task).await.map(drop)
    }
}
