//! The `tcp` action: sends bytes and waits for an answer. It is the smallest use of the contract's sockets, and what a
//! protocol without a plugin can be tried with. The parameters are listed, with an example, in this folder's `README.md`.

mod endpoint;
mod expect;
mod send;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::socket::Socket;
use stampede_plugin::{Action, ConfigError, Failure, FailureKind, Outcome, PerUser, Task, plugin};

use endpoint::{Endpoint, Target};
use expect::{Expect, Expected, Verdict};
use send::Send;

/// What one read asks for.
const CHUNK: usize = 16 << 10;

/// What a step may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A host and a port, such as `site:6379`.
    address: String,
    /// Whether to speak TLS; `false` if absent.
    #[serde(default)]
    tls: bool,
    /// What is sent: a text, `{hex: …}` or `{base64: …}`; nothing if absent.
    send: Option<Send>,
    /// What must come then: a text, `{regex: …}`, `{line: …}` or `{bytes: …}`; nothing is waited for if absent.
    expect: Option<Expect>,
    /// How many bytes may come before it does; 65536 if absent.
    #[serde(default = "most")]
    #[schemars(range(min = 1, max = 16_777_216))]
    most: usize,
    /// Whether the connection stays open for the user's next step to the same address; `false` if absent.
    #[serde(default)]
    keep_open: bool,
}

fn most() -> usize {
    64 << 10
}

/// One configured step.
pub struct Tcp {
    endpoint: Endpoint,
    send: Option<Send>,
    expect: Option<Expect>,
    most: usize,
    keep_open: bool,
    kept: PerUser<Vec<Connection>>,
}

/// An open connection.
struct Connection {
    /// Where it leads to.
    name: String,
    socket: Socket,
    /// What has come that no step has waited for so far.
    received: Vec<u8>,
}

impl Action for Tcp {
    const NAME: &'static str = "tcp";
    const SUMMARY: &'static str = "sends bytes over TCP or TLS and waits for an answer";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/tcp.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::new(&params.address, params.tls).map_err(|error| error.at("/address"))?;
        if matches!(params.expect, Some(Expect::Bytes(count)) if count > params.most) {
            let wrong = ConfigError::new(format!("`expect` waits for more than the {} bytes of `most`", params.most));
            return Err(wrong.at("/expect").help("raise `most`"));
        }
        let Params { send, expect, most, keep_open, .. } = params;
        Ok(Self { endpoint, send, expect, most, keep_open, kept: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let mut connection = self.connection(self.endpoint.render(task)?, task).await?;
        // Be it nothing: a step whose answer is here already takes the user's turn too, and is a request.
        let bytes = self.send.as_ref().map(|send| send.render(task)).transpose()?.unwrap_or_default();
        connection.socket.write(task, &bytes).await?;
        if let Some(expect) = &self.expect {
            connection.wait_for(&expect.render(task), self.most, task).await?;
        }
        if self.keep_open {
            self.kept.with(task, |kept| kept.push(connection));
        }
        Ok(())
    }
}

impl Tcp {
    /// The connection that an earlier step has left open, or a new one. It is nobody's until the step has passed: what
    /// fails on the way is closed.
    async fn connection(&self, target: Target, task: &Task) -> Result<Connection, Failure> {
        let kept = self.kept.with(task, |kept| {
            let at = kept.iter().position(|connection| connection.name == target.name);
            at.map(|at| kept.swap_remove(at))
        });
        match kept {
            Some(connection) => Ok(connection),
            None => {
                let socket = Socket::connect(task, &target.address).await?;
                Ok(Connection { name: target.name, socket, received: Vec::new() })
            }
        }
    }
}

impl Connection {
    /// Reads until what is expected has come, and leaves what follows it for the next step.
    async fn wait_for(&mut self, expected: &Expected<'_>, most: usize, task: &Task) -> Outcome {
        loop {
            match expected.judge(&self.received) {
                Verdict::Found(end) => {
                    self.received.drain(..end);
                    return Ok(());
                }
                Verdict::More if self.received.len() < most => {}
                Verdict::More => return Err(Failure::protocol(format!("expected {expected} within {most} bytes"))),
                Verdict::Other => return Err(Failure::check(format!("expected {expected}, got {}", self.shown()))),
            }
            let arrived = self.socket.read(task, CHUNK.min(most)).await?;
            if arrived.is_empty() {
                let detail = format!("expected {expected}, got {} and the end", self.shown());
                return Err(Failure::new(FailureKind::Network, detail));
            }
            self.received.extend(arrived);
        }
    }

    /// The beginning of what has come, as a person reads it.
    fn shown(&self) -> String {
        const SHOWN: usize = 80;
        match self.received.as_slice() {
            [] => "nothing".to_owned(),
            bytes => format!("`{}`", bytes[..bytes.len().min(SHOWN)].escape_ascii()),
        }
    }
}

plugin!(Tcp);

#[cfg(test)]
mod tests;
