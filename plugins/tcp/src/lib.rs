//! The `tcp` action: sends bytes and waits for an answer. It is the smallest use of the contract's sockets, and serves
//! for protocols without a plugin. This folder's `README.md` lists the parameters, with an example.

mod endpoint;
mod expect;
mod send;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::socket::Socket;
use stampede_plugin::{Action, ConfigError, Failure, FailureKind, Outcome, PerUser, Task, plugin};

use endpoint::{Endpoint, Target};
use expect::{Expect, RenderedExpect, Verdict};
use send::Send;

/// The bytes that one read asks for.
const CHUNK: usize = 16 << 10;

/// The parameters of `tcp`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A host and a port, such as `site:6379`.
    address: String,
    /// `true` to speak TLS; `false` if absent.
    #[serde(default)]
    tls: bool,
    /// The bytes to send: a text, `{hex: …}` or `{base64: …}`; none if absent.
    send: Option<Send>,
    /// The answer to wait for: a text, `{regex: …}`, `{line: …}` or `{bytes: …}`; does not wait if absent.
    expect: Option<Expect>,
    /// The most bytes to read before the answer is complete; 65536 if absent.
    #[serde(default = "most")]
    #[schemars(range(min = 1, max = 16_777_216))]
    most: usize,
    /// `true` if the connection stays open for the user's next step to this address; `false` if absent.
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
    /// The name of its target.
    name: String,
    socket: Socket,
    /// Bytes that have arrived after the last expected answer.
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
        // Written even if empty: a step whose answer has arrived already takes the user's turn too, and is a request.
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
    /// Returns the connection that an earlier step has left open, or a new one. It is not kept until the step has
    /// passed: a step that fails closes it.
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
    /// Reads until the expected answer is complete, and leaves the bytes after it for the next step.
    async fn wait_for(&mut self, expected: &RenderedExpect<'_>, most: usize, task: &Task) -> Outcome {
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
                let detail = format!("expected {expected}, got {} before the connection ended", self.shown());
                return Err(Failure::new(FailureKind::Network, detail));
            }
            self.received.extend(arrived);
        }
    }

    /// Formats the first bytes that have arrived for a message.
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
