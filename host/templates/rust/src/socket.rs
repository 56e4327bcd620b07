//! The `{{action}}` action: sends a line over a socket and expects a text in the line that comes back.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::socket::{Address, Socket};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The longest line accepted, in bytes.
const LONGEST: usize = 4096;

/// The step's own keys. `stampede-shooter plugins --script script.yml` shows their comments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The peer as `HOST:PORT`.
    address: String,
    /// The line to send, without its end.
    send: Template,
    /// The text that the answer must contain.
    expect: Template,
}

/// One configured step; all virtual users of a thread share it.
pub struct Line {
    address: Address,
    send: Template,
    expect: Template,
}

impl Action for Line {
    const NAME: &'static str = "{{action}}";
    const SUMMARY: &'static str = "sends a line and expects a text in the answer";
    type Params = Params;

    /// Checks the parameters, once per step, before the run.
    fn configure(params: Params) -> Result<Self, ConfigError> {
        let address =
            Address::parse(&params.address, None).map_err(|error| error.at("/address"))?;
        Ok(Self {
            address,
            send: params.send,
            expect: params.expect,
        })
    }

    /// Runs the step for one user. `?` passes on a failure that the load runner found, such as a refused connection.
    /// The socket is closed when it is dropped, also if the task times out.
    async fn run(&self, task: &Task) -> Outcome {
        let socket = Socket::connect(task, &self.address).await?;
        let line = format!("{}\r\n", self.send.render(task));
        socket.write(task, line.as_bytes()).await?;
        let answer = socket.read_until(task, b"\r\n", LONGEST).await?;
        let (answer, expected) = (String::from_utf8_lossy(&answer), self.expect.render(task));
        if answer.contains(&expected) {
            return Ok(());
        }
        Err(Failure::check(format!(
            "expected `{expected}`, got `{}`",
            answer.trim_end()
        )))
    }
}

plugin!(Line);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{Host, Peer, Run, json};

    use super::*;

    /// Runs the step once against a peer.
    fn line(peer: Peer) -> Run {
        let params = json!({"address": "site:9", "send": "HELLO {{var who}}", "expect": "welcome"});
        let host = Host::new().variable("who", "Ann").peer(peer);
        host.run::<Line>(params).expect("the parameters are right")
    }

    #[test]
    fn the_answer_may_come_in_pieces() {
        let run = line(
            Peer::new()
                .expects("HELLO Ann\r\n")
                .answers("wel")
                .answers("come\r\n"),
        );
        assert_eq!(run.failure, None);
        assert!(!run.connections[0].open);
    }

    #[test]
    fn another_answer_fails() {
        let run = line(Peer::new().answers("go away\r\n"));
        let expected = Failure::check("expected `welcome`, got `go away`");
        assert_eq!(run.failure, Some(expected));
    }

    #[test]
    fn an_address_needs_a_port() {
        let params = json!({"address": "site", "send": "", "expect": ""});
        let error = Host::new().run::<Line>(params).expect_err("no port");
        assert_eq!(error.pointer, "/address");
    }
}
