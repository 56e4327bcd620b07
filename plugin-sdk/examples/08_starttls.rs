//! A protocol that begins in clear and goes on over TLS: greets a mail server and has it begin TLS (RFC 3207).

use stampede_plugin::socket::{Address, Socket, Tls};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, plugin};

/// The port of mail servers for clients.
const PORT: u16 = 587;

/// The longest line of a reply, in bytes (RFC 5321 section 4.5.3.1.5).
const LONGEST: usize = 512;

/// The step's own keys. The script grants the plugin the host.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// `HOST` or `HOST:PORT`.
    server: String,
    /// The name that the certificate must be for, if it is not the host.
    certificate_name: Option<String>,
}

struct Greet {
    address: Address,
    tls: Tls,
}

impl Action for Greet {
    const NAME: &'static str = "smtp";
    const SUMMARY: &'static str = "greets a mail server over TLS";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let address = Address::parse(&params.server, Some(PORT)).map_err(|error| error.at("/server"))?;
        let tls = params.certificate_name.map_or_else(Tls::new, |name| Tls::new().server_name(name));
        Ok(Self { address, tls })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let socket = Socket::connect(task, &self.address).await?;
        expect(task, &socket, "220").await?;
        ask(task, &socket, "EHLO client", "250").await?;
        ask(task, &socket, "STARTTLS", "220").await?;
        // Replies in clear are not to be relied upon: anyone on the way may have written them.
        socket.secure(task, &self.tls).await?;
        ask(task, &socket, "EHLO client", "250").await?;
        ask(task, &socket, "QUIT", "221").await
    }
}

/// Sends a command and expects a reply.
async fn ask(task: &Task, socket: &Socket, command: &str, code: &str) -> Outcome {
    socket.write(task, format!("{command}\r\n").as_bytes()).await?;
    expect(task, socket, code).await
}

/// Reads a reply, whose last line has a space after the code.
async fn expect(task: &Task, socket: &Socket, code: &str) -> Outcome {
    loop {
        let line = socket.read_until(task, b"\r\n", LONGEST).await?;
        let line = String::from_utf8_lossy(&line);
        match line.strip_prefix(code) {
            Some(rest) if rest.starts_with('-') => {}
            Some(_) => return Ok(()),
            None => return Err(Failure::check(format!("expected `{code}`, got `{}`", line.trim_end()))),
        }
    }
}

plugin!(Greet);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stampede_plugin::FailureKind;
    use stampede_plugin::testing::{Host, Peer, Run, json};

    use super::*;

    fn greet(peer: Peer) -> Run {
        Host::new().peer(peer).run::<Greet>(json!({"server": "mail.example"})).expect("the parameters are right")
    }

    /// A server that has agreed to begin TLS.
    fn agreed() -> Peer {
        let greeted = Peer::new().answers("220 mail\r\n").expects("EHLO client\r\n");
        greeted.answers("250-mail\r\n250 STARTTLS\r\n").expects("STARTTLS\r\n")
    }

    #[test]
    fn commands_go_over_tls_once_the_server_agrees() {
        let peer = agreed().answers("220 go\r\n").secures(Duration::from_millis(3));
        let peer = peer.expects("EHLO client\r\n").answers("250 mail\r\n").expects("QUIT\r\n").answers("221 bye\r\n");
        let run = greet(peer);
        assert_eq!(run.failure, None);
        let connection = &run.connections[0];
        assert_eq!((connection.host.as_str(), connection.port, connection.tls), ("mail.example", PORT, true));
        assert_eq!(run.elapsed, Duration::from_millis(3));
    }

    #[test]
    fn bytes_in_clear_after_the_agreement_are_refused() {
        for answers in [vec!["220 go\r\n250 injected\r\n"], vec!["220 go\r\n", "250 injected\r\n"]] {
            let peer = answers.into_iter().fold(agreed(), Peer::answers);
            let run = greet(peer.secures(Duration::ZERO).answers("250 mail\r\n"));
            assert_eq!(run.failure.map(|failure| failure.kind()), Some(FailureKind::Protocol));
            assert!(!run.connections[0].open);
        }
    }

    #[test]
    fn a_server_that_does_not_begin_tls_fails_the_task() {
        let refused = greet(agreed().answers("454 not now\r\n"));
        assert_eq!(refused.failure, Some(Failure::check("expected `220`, got `454 not now`")));
        let deaf = greet(agreed().answers("220 go\r\n"));
        assert_eq!(deaf.failure.map(|failure| failure.kind()), Some(FailureKind::Network));
    }
}
