//! Sockets against peers of the fake host: bytes in pieces, races, ends, and sockets left open.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::{Address, Socket, Tls};
use crate::http::DynamicRequest;
use crate::testing::{GivenUp, Host, Peer, Reply, Run, Session, Step, json};
use crate::{Action, ConfigError, Failure, FailureKind, Outcome, PerUser, Task};

const MOMENT: Duration = Duration::from_millis(10);

/// Connects and does one of several things, by the step's number.
struct Talk(u32);

impl Action for Talk {
    const NAME: &'static str = "talk";
    const SUMMARY: &'static str = "";
    type Params = u32;

    fn configure(what: u32) -> Result<Self, ConfigError> {
        Ok(Self(what))
    }

    async fn run(&self, task: &Task) -> Outcome {
        let address = Address::new("mail.example", 25).tls(Tls::new().offer("smtp"));
        let socket = Socket::connect(task, &address).await?;
        let said = match self.0 {
            0 => socket.read_until(task, b"\r\n", 9).await?,
            1 => socket.read_exact(task, 5).await?,
            2 => {
                socket.write(task, b"PING").await?;
                socket.read(task, 99).await?
            }
            3 => impatient(&socket, task).await?,
            4 => unread(&socket, task).await?,
            5 => two_reads(&socket, task).await?,
            _ => socket.protocol(task).unwrap_or_default().into_bytes(),
        };
        task.user().set_variable("said", &said.escape_ascii().to_string());
        socket.close(task);
        Ok(())
    }
}

/// Gives one read up and gets its bytes from the next.
async fn impatient(socket: &Socket, task: &Task) -> Result<Vec<u8>, Failure> {
    let early = task.timeout(MOMENT, socket.read_until(task, b"\n", 99)).await;
    assert_eq!(early, Err(crate::TimedOut { limit: MOMENT }));
    socket.read_until(task, b"\n", 99).await
}

/// Drops a read that was announced and not awaited, whose bytes the next read returns.
async fn unread(socket: &Socket, task: &Task) -> Result<Vec<u8>, Failure> {
    let read = socket.read(task, 99);
    task.sleep(MOMENT).await;
    drop(read);
    socket.read(task, 99).await
}

async fn two_reads(socket: &Socket, task: &Task) -> Result<Vec<u8>, Failure> {
    let _first = socket.read(task, 1);
    socket.read(task, 1).await
}

fn talk(what: u32, peer: Peer) -> Run {
    Host::new().peer(peer).run::<Talk>(what).expect("the parameters are right")
}

fn said(run: &Run) -> Option<&str> {
    assert_eq!(run.failure, None);
    assert!(!run.connections[0].open, "it was closed");
    run.variable("said")
}

#[test]
fn a_line_is_assembled_and_the_bytes_after_it_are_kept() {
    let peer = Peer::new().answers("250").waits(MOMENT).answers(" ok\r").answers("\nand more");
    let run = talk(0, peer);
    assert_eq!((said(&run), run.elapsed), (Some(r"250 ok\r\n"), MOMENT));
    let connection = &run.connections[0];
    assert_eq!((connection.host.as_str(), connection.port, connection.tls), ("mail.example", 25, true));
}

#[test]
fn a_number_of_bytes_may_come_in_pieces() {
    assert_eq!(said(&talk(1, Peer::new().answers("ab").answers("cdefgh"))), Some("abcde"));
}

#[test]
fn a_long_line_is_a_protocol_failure_and_an_early_end_a_network_failure() {
    let long = talk(0, Peer::new().answers("0123456789\r\n"));
    assert_eq!(long.failure, Some(Failure::protocol(r"expected `\r\n` within 9 bytes")));
    let early = talk(0, Peer::new().answers("abc").closes()).failure.expect("no line");
    assert_eq!(
        (early.kind(), early.detail()),
        (FailureKind::Network, r"expected `\r\n`, got 3 bytes before the connection ended")
    );
    let early = talk(1, Peer::new().answers("abc").closes()).failure.expect("too few");
    assert_eq!(
        (early.kind(), early.detail()),
        (FailureKind::Network, "expected 5 bytes, got 3 before the connection ended")
    );
}

#[test]
fn a_peer_answers_when_it_has_what_it_expects() {
    let run = talk(2, Peer::new().after(MOMENT).expects("PI").expects("NG").waits(MOMENT).answers("PONG"));
    assert_eq!((said(&run), run.elapsed), (Some("PONG"), 2 * MOMENT));
    assert_eq!(run.connections[0].written, b"PING");
}

/// Asks for the connection of a request, and reads from it.
struct Switch;

impl Action for Switch {
    const NAME: &'static str = "switch";
    const SUMMARY: &'static str = "";
    type Params = Option<u8>;

    fn configure(_: Option<u8>) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    async fn run(&self, task: &Task) -> Outcome {
        task.user().set_header("authorization", "secret")?;
        let headers = vec![("upgrade".to_owned(), "echo".to_owned())];
        let request = DynamicRequest { headers, ..DynamicRequest::get("https://site/a") };
        drop(request.clone().upgrade(task));
        let reply = task.timeout(2 * MOMENT, request.upgrade(task)).await??;
        let Some(socket) = &reply.socket else { return Err(Failure::status(reply.status.to_string())) };
        let said = socket.read(task, 99).await?;
        task.user().set_variable("said", &format!("{} {:?}", said.escape_ascii(), reply.duration));
        assert_eq!(reply.header("Upgrade"), Some("echo"));
        Ok(())
    }
}

#[test]
fn a_request_becomes_a_socket_if_the_server_switches() {
    let first = || Host::new().reply(Reply::new(101)).peer(Peer::new());
    let reply = |status| Reply::new(status).header("upgrade", "echo").after(MOMENT);
    let host = first().reply(reply(101)).peer(Peer::new().answers("hello"));
    let run = host.run::<Switch>(json!(null)).expect("the parameters are right");
    assert_eq!((said(&run), run.elapsed), (Some("hello 10ms"), MOMENT));
    let connection = &run.connections[1];
    assert_eq!((connection.host.as_str(), connection.port, connection.tls), ("site", 443, true));
    assert!(!connection.open);
    assert_eq!(run.given_up, [GivenUp::Connect, GivenUp::Sleep]);
    let sent = &run.requests[1];
    assert_eq!((sent.headers[0].1.as_str(), sent.user_headers[0].1.as_str()), ("echo", "secret"));

    let other = first().reply(reply(403)).run::<Switch>(json!(null)).expect("the parameters are right");
    assert_eq!((other.failure, other.connections.len()), (Some(Failure::status("403")), 1));
    let none = first().reply(Reply::failed(FailureKind::Network)).run::<Switch>(json!(null));
    assert_eq!(none.expect("the parameters are right").failure.map(|it| it.kind()), Some(FailureKind::Network));
}

#[test]
#[should_panic(expected = "the peer expected `QUIT`, got `PING`")]
fn a_peer_that_gets_something_else_fails_the_test() {
    talk(2, Peer::new().expects("QUIT"));
}

#[test]
fn a_refused_connection_is_a_failure_of_the_host() {
    let failure = talk(0, Peer::refuses(FailureKind::Network)).failure.expect("no connection");
    assert_eq!((failure.kind(), failure.detail()), (FailureKind::Network, ""));
}

#[test]
fn silence_lasts_until_the_step_times_out() {
    let run = talk(0, Peer::new());
    assert_eq!(run.failure.expect("nothing came").kind(), FailureKind::Timeout);
    assert_eq!(run.given_up, [], "the host had ended the task");
}

#[test]
fn a_read_that_lost_a_race_swallows_nothing() {
    let run = talk(3, Peer::new().answers("ab").waits(2 * MOMENT).answers("cd\n"));
    assert_eq!((said(&run), run.elapsed), (Some(r"abcd\n"), 2 * MOMENT));
    assert_eq!(run.given_up, [GivenUp::Read]);
}

#[test]
fn bytes_of_a_dropped_read_are_returned_by_the_next() {
    let run = talk(4, Peer::new().answers("ab").waits(3 * MOMENT).answers("cd"));
    assert_eq!((said(&run), run.elapsed), (Some("ab"), MOMENT));
    assert_eq!(run.given_up, []);
}

#[test]
fn a_second_concurrent_read_is_a_plugin_failure() {
    let failure = talk(5, Peer::new()).failure.expect("two reads");
    assert_eq!(failure.kind(), FailureKind::Plugin);
}

#[test]
fn the_server_picks_the_protocol() {
    assert_eq!(said(&talk(9, Peer::new().picks("smtp"))), Some("smtp"));
}

/// Begins TLS on a connection in clear in one of several ways, by the step's number.
struct Switches(u32);

impl Action for Switches {
    const NAME: &'static str = "switches";
    const SUMMARY: &'static str = "";
    type Params = u32;

    fn configure(how: u32) -> Result<Self, ConfigError> {
        Ok(Self(how))
    }

    async fn run(&self, task: &Task) -> Outcome {
        let socket = Socket::connect(task, &Address::new("mail.example", 25)).await?;
        match self.0 {
            0 => {
                socket.secure(task, &Tls::new()).await?;
                socket.write(task, b"hello").await
            }
            1 => {
                let early = task.timeout(MOMENT, socket.secure(task, &Tls::new())).await;
                assert_eq!(early, Err(crate::TimedOut { limit: MOMENT }));
                socket.write(task, b"hello").await
            }
            2 => {
                socket.secure(task, &Tls::new()).await?;
                socket.secure(task, &Tls::new()).await
            }
            _ => {
                let _read = socket.read(task, 1);
                socket.secure(task, &Tls::new()).await
            }
        }
    }
}

fn switch(how: u32, peer: Peer) -> Run {
    Host::new().peer(peer).run::<Switches>(how).expect("the parameters are right")
}

#[test]
fn tls_begins_on_a_connection_in_clear() {
    let run = switch(0, Peer::new().secures(2 * MOMENT).expects("hello"));
    assert_eq!((run.failure, run.elapsed), (None, 2 * MOMENT));
    assert!(run.connections[0].tls);
}

#[test]
fn a_handshake_that_is_given_up_closes_the_connection() {
    let run = switch(1, Peer::new().secures(2 * MOMENT));
    assert_eq!(run.failure.map(|failure| failure.kind()), Some(FailureKind::Network));
    assert_eq!((run.given_up, run.connections[0].open), (vec![GivenUp::Secure], false));
}

#[test]
fn tls_begins_once_and_on_a_connection_that_is_not_in_use() {
    for (how, peer) in [(2, Peer::new().secures(Duration::ZERO)), (3, Peer::new().secures(Duration::ZERO))] {
        let failure = switch(how, peer).failure;
        assert_eq!(failure.map(|failure| failure.kind()), Some(FailureKind::Plugin), "{how}");
    }
}

/// Connects once for each user and sends one line in each task; the step's text decides the fate of the socket.
struct Stay {
    fate: String,
    sockets: PerUser<Socket>,
}

impl Action for Stay {
    const NAME: &'static str = "stay";
    const SUMMARY: &'static str = "";
    type Params = String;

    fn configure(fate: String) -> Result<Self, ConfigError> {
        Ok(Self { fate, sockets: PerUser::shared() })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let socket = match self.sockets.take(task) {
            Some(socket) => socket,
            None => Socket::connect(task, &Address::new("::1", 9)).await?,
        };
        socket.write(task, b"hello\n").await?;
        if self.fate == "hangs" {
            socket.read(task, 1).await?;
        }
        self.sockets.put(task, socket);
        Ok(())
    }
}

fn stay(session: &mut Session, fate: &str) -> Step {
    session.configure::<Stay>(json!(fate)).expect("the parameters are right")
}

/// Returns `true` for each connection that is open.
fn open(run: &Run) -> Vec<bool> {
    run.connections.iter().map(|connection| connection.open).collect()
}

#[test]
fn a_socket_outlasts_its_task_and_goes_from_step_to_step() {
    let mut session = Host::new().peer(Peer::new()).peer(Peer::new()).session();
    let (first, second) = (stay(&mut session, "stays"), stay(&mut session, "stays"));
    session.run(first, 0);
    session.run(first, 1);
    let run = session.run(second, 0);
    assert_eq!(open(&run), [true, true]);
    assert_eq!(run.connections[0].written, b"hello\nhello\n");
}

#[test]
fn sockets_of_a_timed_out_task_are_closed_by_the_next_task_of_their_user() {
    let mut session = Host::new().peer(Peer::new()).peer(Peer::new()).peer(Peer::new()).session();
    let (hangs, stays) = (stay(&mut session, "hangs"), stay(&mut session, "stays"));
    let run = session.run(hangs, 0);
    assert_eq!(run.failure.as_ref().expect("nothing came").kind(), FailureKind::Timeout);
    assert_eq!(open(&run), [true], "its user is not the current one");
    assert_eq!(open(&session.run(stays, 1)), [true, true], "it is another user's");
    assert_eq!(open(&session.run(stays, 0)), [false, true, true]);
}

#[test]
fn a_user_who_is_gone_leaves_nothing() {
    let mut session = Host::new().peer(Peer::new()).peer(Peer::new()).peer(Peer::new()).session();
    let (hangs, stays) = (stay(&mut session, "hangs"), stay(&mut session, "stays"));
    session.run(stays, 0);
    session.run(hangs, 0);
    session.forget_user(0);
    // Another user with the same number; closing a socket of the first one would end the instance.
    assert_eq!(open(&session.run(stays, 0)), [false, true]);
    session.forget_user(0);
    assert_eq!(open(&session.run(stays, 0)), [false, false, true]);
}

/// Submits connects and drops them.
struct Hasty;

impl Action for Hasty {
    const NAME: &'static str = "hasty";
    const SUMMARY: &'static str = "";
    type Params = u64;

    fn configure(_: u64) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    async fn run(&self, task: &Task) -> Outcome {
        let address = Address::new("localhost", 9);
        // The host announces it while the sleep is awaited; then it is dropped.
        let unseen = Socket::connect(task, &address);
        task.sleep(MOMENT).await;
        drop(unseen);
        let mut late = pin!(Socket::connect(task, &address));
        let polled = std::future::poll_fn(|context| Poll::Ready(late.as_mut().poll(context).is_pending())).await;
        assert!(polled);
        Ok(())
    }
}

#[test]
fn a_connect_that_is_dropped_leaves_no_connection() {
    let host = Host::new().peer(Peer::new()).peer(Peer::new().after(MOMENT));
    let run = host.run::<Hasty>(0).expect("configured");
    assert_eq!((open(&run), run.given_up), (vec![false, false], vec![GivenUp::Connect]));
}
