//! Two actions that share a value for each user: `join-chat` opens a socket, `say` uses it, step after step.

use stampede_plugin::socket::{Address, Socket};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, PerUser, Task, Template, plugin};

/// The longest line accepted, in bytes.
const LONGEST: usize = 1024;

/// A user's place in the chat. It has a type of its own, since [`PerUser::shared`] tells values apart by their type.
struct Seat {
    socket: Socket,
    said: u32,
}

/// The parameters of `join-chat`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct JoinParams {
    /// The chat's host.
    host: String,
    /// Its port.
    port: u16,
}

struct Join {
    address: Address,
    seats: PerUser<Seat>,
}

impl Action for Join {
    const NAME: &'static str = "join-chat";
    const SUMMARY: &'static str = "connects to the chat, once for each user";
    type Params = JoinParams;

    fn configure(params: JoinParams) -> Result<Self, ConfigError> {
        Ok(Self { address: Address::new(params.host, params.port), seats: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        if let Some(seat) = self.seats.take(task) {
            self.seats.put(task, seat);
            return Ok(());
        }
        let socket = Socket::connect(task, &self.address).await?;
        self.seats.put(task, Seat { socket, said: 0 });
        Ok(())
    }
}

/// The parameters of `say`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct SayParams {
    /// One line.
    text: Template,
}

struct Say {
    text: Template,
    seats: PerUser<Seat>,
}

impl Action for Say {
    const NAME: &'static str = "say";
    const SUMMARY: &'static str = "says a line and expects its number";
    type Params = SayParams;

    fn configure(params: SayParams) -> Result<Self, ConfigError> {
        Ok(Self { text: params.text, seats: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        // Taken out, so that a seat whose answers may be out of step is never used again: if the task fails or times
        // out, the seat is dropped with its socket. A user who leaves needs no code: the SDK drops its seat.
        let mut seat = self.seats.take(task).ok_or_else(|| Failure::check("expected a seat, got none: join first"))?;
        seat.socket.write(task, format!("{}\n", self.text.render(task)).as_bytes()).await?;
        let answer = seat.socket.read_until(task, b"\n", LONGEST).await?;
        seat.said += 1;
        let (answer, expected) = (String::from_utf8_lossy(&answer), seat.said.to_string());
        if answer.trim_end() != expected {
            return Err(Failure::check(format!("expected `{expected}`, got `{}`", answer.trim_end())));
        }
        self.seats.put(task, seat);
        Ok(())
    }
}

plugin!(Join, Say);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{Host, Peer, Session, Step, json};

    use super::*;

    fn chat(peers: impl IntoIterator<Item = Peer>) -> (Session, Step, Step) {
        let mut session = peers.into_iter().fold(Host::new(), Host::peer).session();
        let join = session.configure::<Join>(json!({"host": "chat.example", "port": 7})).expect("that is right");
        let say = session.configure::<Say>(json!({"text": "hello"})).expect("that is right");
        (session, join, say)
    }

    #[test]
    fn each_user_has_a_seat_from_step_to_step() {
        let counts = || Peer::new().expects("hello\n").answers("1\n").expects("hello\n").answers("2\n");
        let (mut session, join, say) = chat([counts(), counts()]);
        for user in [0, 1, 0, 1] {
            assert!(session.run(join, user).passed() && session.run(say, user).passed());
        }
    }

    #[test]
    fn a_seat_that_is_out_of_step_is_not_used_again() {
        let (mut session, join, say) = chat([Peer::new().expects("hello\n").answers("7\n"), Peer::new()]);
        session.run(join, 0);
        let run = session.run(say, 0);
        assert_eq!(run.failure, Some(Failure::check("expected `1`, got `7`")));
        assert!(!run.connections[0].open);
        assert_eq!(session.run(say, 0).failure, Some(Failure::check("expected a seat, got none: join first")));
    }

    #[test]
    fn a_user_who_leaves_has_no_seat() {
        let (mut session, join, say) = chat([Peer::new()]);
        session.run(join, 0);
        session.forget_user(0);
        assert_eq!(session.run(say, 0).failure, Some(Failure::check("expected a seat, got none: join first")));
    }
}
