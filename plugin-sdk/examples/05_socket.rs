//! A protocol that the host does not speak: connects, sends a line, expects a line.

use std::time::Duration;

use stampede_plugin::socket::{Address, Socket, Tls};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The longest line accepted, in bytes.
const LONGEST: usize = 4096;

/// The time limit of the answer.
const LIMIT: Duration = Duration::from_secs(2);

/// The step's own keys. The script grants the plugin the host.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// A name or an address.
    host: String,
    /// 1 to 65535.
    port: u16,
    /// `true` to speak TLS; `false` if absent.
    #[serde(default)]
    tls: bool,
    /// The line to send, without its end.
    send: Template,
    /// The text that the answer must contain.
    expect: Template,
}

struct Line {
    address: Address,
    send: Template,
    expect: Template,
}

impl Action for Line {
    const NAME: &'static str = "line";
    const SUMMARY: &'static str = "sends a line and expects one";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        if params.port == 0 {
            return Err(ConfigError::new("`port` must be from 1 to 65535, got 0").at("/port"));
        }
        let address = Address::new(params.host, params.port);
        let address = if params.tls { address.tls(Tls::new()) } else { address };
        Ok(Self { address, send: params.send, expect: params.expect })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let socket = Socket::connect(task, &self.address).await?;
        socket.write(task, format!("{}\r\n", self.send.render(task)).as_bytes()).await?;
        let line = task.timeout(LIMIT, socket.read_until(task, b"\r\n", LONGEST)).await??;
        let (line, expected) = (String::from_utf8_lossy(&line), self.expect.render(task));
        if line.contains(&expected) {
            return Ok(());
        }
        Err(Failure::check(format!("expected a line with `{expected}`, got `{}`", line.trim_end())))
        // The socket is dropped here, which closes it.
    }
}

plugin!(Line);

#[cfg(test)]
mod tests {
    use stampede_plugin::FailureKind;
    use stampede_plugin::testing::{GivenUp, Host, Peer, Run, json};

    use super::*;

    fn line(peer: Peer) -> Run {
        let params = json!({"host": "mail.example", "port": 25, "send": "HELO {{var who}}", "expect": "250"});
        Host::new().variable("who", "ann").peer(peer).run::<Line>(params).expect("the parameters are right")
    }

    #[test]
    fn the_answer_may_come_in_pieces() {
        let run = line(Peer::new().expects("HELO ann\r\n").answers("250 he").answers("llo\r\n"));
        assert_eq!(run.failure, None);
        assert!(!run.connections[0].open);
    }

    #[test]
    fn another_answer_fails_the_check() {
        let run = line(Peer::new().answers("500 what?\r\n"));
        assert_eq!(run.failure, Some(Failure::check("expected a line with `250`, got `500 what?`")));
    }

    #[test]
    fn silence_is_a_timeout_and_an_end_a_network_failure() {
        let silence = line(Peer::new());
        assert_eq!(silence.failure.map(|failure| failure.kind()), Some(FailureKind::Timeout));
        assert_eq!((silence.given_up, silence.elapsed), (vec![GivenUp::Read], LIMIT));
        let end = line(Peer::new().closes());
        assert_eq!(end.failure.map(|failure| failure.kind()), Some(FailureKind::Network));
    }
}
