//! `websocket.open`: a connection that outlasts the step.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::{Action, ConfigError, Fields, Outcome, PerUser, Task};

use crate::connection::Connection;
use crate::metrics::Metrics;
use crate::target::Target;

/// The parameters of `websocket.open`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenParams {
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
}

/// `websocket.open`: connects, unless the user has a connection.
pub(crate) struct Open {
    target: Target,
    metrics: Metrics,
    open: PerUser<Connection>,
}

impl Action for Open {
    const NAME: &'static str = "websocket.open";
    const SUMMARY: &'static str = "opens a WebSocket, unless the user has one open";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/websocket.open.json"));
    type Params = OpenParams;

    fn configure(params: OpenParams) -> Result<Self, ConfigError> {
        let target = Target::new(&params.url, &params.headers, &params.protocols, params.most)?;
        Ok(Self { target, metrics: Metrics::new()?, open: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let connection = match self.open.take(task) {
            Some(connection) => connection,
            None => Connection::open(&self.target, self.metrics, task).await?,
        };
        self.open.put(task, connection);
        Ok(())
    }
}
