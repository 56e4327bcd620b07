//! The five actions. A connection belongs to its user and outlasts the steps that use it.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::{Action, ConfigError, Failure, FailureKind, Fields, Outcome, PerUser, Task, Template};
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::connection::Connection;
use crate::incoming::{Conditions, Incoming, text};
use crate::metrics::Metrics;
use crate::mishap;
use crate::outgoing::Outgoing;
use crate::save::{Save, Source};
use crate::target::Target;
use crate::time_span::TimeSpan;
use crate::wait::wait;

/// The longest reason of a close frame, in bytes: a control frame has 125, and the code takes two.
const LONGEST_REASON: usize = 123;

fn most() -> usize {
    1 << 20
}

/// The connection that `websocket.open` has left, taken out: a step that fails on the way closes it.
fn take(open: &PerUser<Connection>, task: &Task) -> Result<Connection, Failure> {
    open.take(task).ok_or_else(|| Failure::check("the user has no open connection"))
}

/// Waits for a message and takes variables from it.
struct Wait {
    conditions: Conditions,
    within: Option<Duration>,
    save: Save,
}

impl Wait {
    fn new(
        expect: Option<Incoming>,
        within: Option<TimeSpan>,
        save: BTreeMap<String, Source>,
    ) -> Result<Self, ConfigError> {
        let Incoming(conditions) = expect.unwrap_or_default();
        Ok(Self { conditions, within: within.map(|span| span.0), save: Save::new(save)? })
    }

    async fn run(&self, connection: &mut Connection, task: &Task) -> Result<Message, Failure> {
        wait(connection, &self.conditions.render(task), self.within, task).await
    }

    fn save(&self, message: &Message, task: &Task) -> Outcome {
        self.save.apply(&text(message), task)
    }
}

/// What a step of `websocket.open` may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenParams {
    /// A `ws://` or `wss://` URL.
    url: String,
    /// Header fields of the handshake.
    #[serde(default)]
    headers: Fields,
    /// Sub-protocols to offer, the favourite first; the server must pick one.
    #[serde(default)]
    protocols: Vec<String>,
    /// The largest message that is taken, in bytes; 1048576 if absent.
    #[serde(default = "most")]
    #[schemars(range(min = 1, max = 16_777_216))]
    most: usize,
}

/// `websocket.open`: connects, unless the user has a connection.
pub struct Open {
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

/// What a step of `websocket.send` may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendParams {
    /// A text, or `{json: …}`, `{hex: …}`, `{base64: …}` or `{ping: …}`.
    send: Outgoing,
}

/// `websocket.send`: sends a message.
pub struct Send {
    send: Outgoing,
    open: PerUser<Connection>,
}

impl Action for Send {
    const NAME: &'static str = "websocket.send";
    const SUMMARY: &'static str = "sends a message over the user's WebSocket";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/websocket.send.json"));
    type Params = SendParams;

    fn configure(params: SendParams) -> Result<Self, ConfigError> {
        Ok(Self { send: params.send, open: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let message = self.send.render(task)?;
        let mut connection = take(&self.open, task)?;
        connection.send(message, task).await?;
        self.open.put(task, connection);
        Ok(())
    }
}

/// What a step of `websocket.expect` may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectParams {
    /// What the message must be: a text in it, or `{contains: …, regex: …, json: …, equals: …, kind: …, code: …}`; any
    /// message if absent.
    expect: Option<Incoming>,
    /// How long it may take; as long as the step if absent. The connection survives this limit, and not the step's.
    within: Option<TimeSpan>,
    /// Variables to set from it: `{name: {json: …}}` or `{name: {regex: …}}`.
    #[serde(default)]
    save: BTreeMap<String, Source>,
}

/// `websocket.expect`: waits for a message.
pub struct Expect {
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
        Ok(Self { wait: Wait::new(params.expect, params.within, params.save)?, open: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let mut connection = take(&self.open, task)?;
        connection.begin(task).await?;
        let found = self.wait.run(&mut connection, task).await;
        match &found {
            Ok(Message::Close(_)) => connection.end(task).await,
            Ok(_) => self.open.put(task, connection),
            // What did not come in time may come later; after any other failure nothing does.
            Err(failure) if failure.kind() == FailureKind::Timeout => self.open.put(task, connection),
            Err(_) => drop(connection),
        }
        self.wait.save(&found?, task)
    }
}

/// What a step of `websocket.close` may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseParams {
    /// The code that is sent, 1000 or 3000 to 4999; 1000 if absent.
    #[serde(default = "normal")]
    #[schemars(range(min = 1000, max = 4999))]
    code: u16,
    /// The reason that is sent; none if absent.
    reason: Option<Template>,
    /// The code that the server must answer with; any if absent.
    #[schemars(range(min = 1000, max = 4999))]
    expect_code: Option<u16>,
}

fn normal() -> u16 {
    1000
}

/// `websocket.close`: says goodbye and waits for the answer.
pub struct Close {
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
        let connection = take(&self.open, task)?;
        let answer =
            connection.close(CloseFrame { code: self.params.code.into(), reason: reason.into() }, task).await?;
        match self.params.expect_code {
            Some(code) if answer.as_ref().map(|frame| u16::from(frame.code)) != Some(code) => {
                let got = mishap::code(answer.as_ref());
                Err(Failure::status(format!("expected a close frame with code {code}, got one {got}")))
            }
            _ => Ok(()),
        }
    }
}

/// What a step of `websocket` may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnceParams {
    /// A `ws://` or `wss://` URL.
    url: String,
    /// Header fields of the handshake.
    #[serde(default)]
    headers: Fields,
    /// Sub-protocols to offer, the favourite first; the server must pick one.
    #[serde(default)]
    protocols: Vec<String>,
    /// The largest message that is taken, in bytes; 1048576 if absent.
    #[serde(default = "most")]
    #[schemars(range(min = 1, max = 16_777_216))]
    most: usize,
    /// What is sent first: a text, or `{json: …}`, `{hex: …}`, `{base64: …}` or `{ping: …}`; nothing if absent.
    send: Option<Outgoing>,
    /// What must come then: a text in the message, or `{contains: …, regex: …, json: …, equals: …, kind: …}`; nothing is
    /// waited for if absent.
    expect: Option<Incoming>,
    /// Variables to set from it: `{name: {json: …}}` or `{name: {regex: …}}`.
    #[serde(default)]
    save: BTreeMap<String, Source>,
}

/// `websocket`: all of it in one step.
pub struct Once {
    target: Target,
    metrics: Metrics,
    send: Option<Outgoing>,
    wait: Option<Wait>,
}

impl Action for Once {
    const NAME: &'static str = "websocket";
    const SUMMARY: &'static str = "opens a WebSocket, sends a message, waits for one and closes";
    const SETS_VARIABLES: bool = true;
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/websocket.json"));
    type Params = OnceParams;

    fn configure(params: OnceParams) -> Result<Self, ConfigError> {
        let target = Target::new(&params.url, &params.headers, &params.protocols, params.most)?;
        let waits = params.expect.is_some() || !params.save.is_empty();
        let wait = waits.then(|| Wait::new(params.expect, None, params.save)).transpose()?;
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
