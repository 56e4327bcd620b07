//! What the fake host knows: the test's script, what is in flight, and what was recorded.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::record::Connection;
use super::socket::Socket;
use super::{GivenUp, Peer, Reply, Run, SentRequest};
use crate::bindings::http_types::RequestTemplate;
use crate::bindings::report_types::{MetricKind, MetricUnit};
use crate::bindings::socket_types::{Address, TlsOptions};
use crate::{Failure, FailureKind, UserId};

/// What the test said beforehand.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// For the requests to come, in the order sent.
    pub replies: VecDeque<Reply>,
    /// For the connects to come, in the order submitted.
    pub peers: VecDeque<Peer>,
    /// Texts by helper call; the last text stays.
    pub helpers: Vec<(String, VecDeque<String>)>,
    /// What every user has at first.
    pub variables: Vec<(String, String)>,
}

/// What an operation waits for, and what came of it once it is announced.
pub(super) enum Kind {
    Sleep,
    /// The reply, and whether the request asked for the body.
    Exchange(Reply, bool),
    /// The head of a streamed exchange.
    Head(u32),
    /// Content of one.
    Piece(u32),
    /// Content for one.
    Sent,
    /// The socket, by its number.
    Connect(u32),
    /// The reply to a request for a connection, and the socket that it becomes.
    Upgrade(Reply, Option<u32>),
    /// The socket, and what is wrong.
    Write(u32, Option<FailureKind>),
    /// The socket, how many bytes at most, and those that came.
    Read(u32, usize, Result<Vec<u8>, FailureKind>),
}

/// An operation, by its number.
pub(super) struct Operation {
    pub kind: Kind,
    /// When it completes, in virtual nanoseconds; a read no sooner than its bytes arrive.
    due: u64,
    /// Whether the action has been told.
    pub announced: bool,
    /// Whether the action no longer waits.
    given_up: bool,
}

/// A virtual user.
#[derive(Clone, Default)]
pub(super) struct User {
    /// The next number of the random stream.
    pub random: u64,
    /// How many tasks it has begun.
    pub tasks: u64,
    pub variables: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
}

/// A metric, by its number.
pub(super) struct Metric {
    pub name: String,
    pub kind: MetricKind,
    pub unit: MetricUnit,
}

/// The host of one test thread; numbers given out are indexes into its lists.
#[derive(Default)]
pub(super) struct State {
    pub script: Script,
    /// Whether the guest is within `start` or `resume`: most imports trap elsewhere.
    pub in_task: bool,
    /// Virtual time since the run began, in nanoseconds.
    pub now: u64,
    /// Sources, by template number.
    pub templates: Vec<String>,
    /// By request number.
    pub prepared: Vec<RequestTemplate>,
    pub metrics: Vec<Metric>,
    pub sockets: Vec<Socket>,
    users: BTreeMap<UserId, User>,
    /// The current user.
    pub user: UserId,
    /// Of the current task, by number.
    operations: Vec<Operation>,
    /// The first report.
    pub reported: Option<Failure>,
    /// What the host itself found.
    pub found: Option<FailureKind>,
    pub requests: Vec<SentRequest>,
    pub measured: Vec<(String, f64)>,
    given_up: Vec<GivenUp>,
    /// The streamed exchanges: the operation, the request, and whether the content was handed over.
    pub streams: Vec<(u32, usize, bool)>,
    pub log: Vec<String>,
    /// When the current task began.
    began: u64,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Access for a moment: never while the action runs.
pub(super) fn with<T>(body: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(body)
}

/// Access for what only a task may ask for.
#[track_caller]
pub(super) fn in_task<T>(body: impl FnOnce(&mut State) -> T) -> T {
    with(|state| {
        assert!(state.in_task, "this is for a task that runs: the host would end the instance");
        body(state)
    })
}

/// A new host, as at the start of a run.
pub(super) fn begin(script: Script) {
    STATE.replace(State { script, ..State::default() });
}

/// Goes forward to what completes next, of several at the same time the one submitted first; its number.
pub(super) fn complete_next() -> Option<u32> {
    with(|state| {
        let in_flight = state.operations.iter().zip(0..).filter(|(operation, _)| operation.in_flight());
        let due = in_flight.filter_map(|(operation, number)| Some((operation.due(&state.sockets)?, number)));
        let (due, number) = due.min_by_key(|(due, _)| *due)?;
        state.now = state.now.max(due);
        state.complete(number);
        Some(number)
    })
}

impl Operation {
    fn in_flight(&self) -> bool {
        !self.announced && !self.given_up
    }

    /// When it completes, if it does by itself.
    fn due(&self, sockets: &[Socket]) -> Option<u64> {
        match &self.kind {
            Kind::Read(socket, _, Ok(_)) => Some(sockets[*socket as usize].arrival()?.max(self.due)),
            _ => Some(self.due),
        }
    }
}

impl State {
    /// Another task of a user, with records of its own.
    pub fn begin_task(&mut self, user: UserId) {
        let first = || User { variables: self.script.variables.clone(), ..User::default() };
        self.users.entry(user).or_insert_with(first).tasks += 1;
        (self.user, self.began) = (user, self.now);
        (self.reported, self.found) = (None, None);
        self.operations.clear();
        self.requests.clear();
        self.measured.clear();
        self.given_up.clear();
        self.streams.clear();
        self.log.clear();
    }

    /// What is left for the test to look at.
    pub fn end_task(&mut self, passed: bool) -> Run {
        let unexplained = || Failure::new(self.found.unwrap_or(FailureKind::Plugin), "");
        let failure = (!passed).then(|| self.reported.clone().unwrap_or_else(unexplained));
        let elapsed = Duration::from_nanos(self.now - self.began);
        let user = self.user().clone();
        Run {
            failure,
            requests: self.requests.clone(),
            user_headers: user.headers,
            variables: user.variables,
            connections: self.sockets.iter().map(|socket| socket.record.clone()).collect(),
            metrics: self.measured.clone(),
            given_up: self.given_up.clone(),
            log: self.log.clone(),
            elapsed,
        }
    }

    /// What the host makes of a task that waits for what never comes.
    pub fn stuck(&mut self) {
        self.found = self.operations.iter().any(Operation::in_flight).then_some(FailureKind::Timeout);
        if self.found.is_none() {
            let why = "the action waits, but no operation is in flight";
            self.reported = Some(Failure::new(FailureKind::Plugin, why));
        }
    }

    /// The user is gone, and its sockets with it.
    pub fn forget_user(&mut self, user: UserId) {
        self.users.remove(&user);
        self.sockets
            .iter_mut()
            .filter(|socket| socket.record.user == user)
            .for_each(|socket| socket.record.open = false);
    }

    /// The current user.
    pub fn user(&mut self) -> &mut User {
        self.users.get_mut(&self.user).expect("a user whose task it is")
    }

    /// Puts an operation in flight; its number.
    pub fn submit(&mut self, after: Duration, kind: Kind) -> u32 {
        let due = self.now.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
        self.operations.push(Operation { kind, due, announced: false, given_up: false });
        number(self.operations.len() - 1)
    }

    /// What an announced operation was, and what came of it.
    #[track_caller]
    pub fn announced(&mut self, operation: u32) -> &mut Kind {
        let operation = &mut self.operations[operation as usize];
        assert!(operation.announced, "it is not announced yet");
        &mut operation.kind
    }

    /// Gives up what is in flight.
    pub fn cancel(&mut self, operation: u32) {
        let Some(operation) = self.operations.get_mut(operation as usize).filter(|it| it.in_flight()) else { return };
        operation.given_up = true;
        let given_up = match &operation.kind {
            Kind::Sleep => GivenUp::Sleep,
            Kind::Exchange(..) => GivenUp::Exchange,
            // They go with their exchange.
            Kind::Head(_) | Kind::Piece(_) | Kind::Sent => return,
            Kind::Connect(_) | Kind::Upgrade(..) => GivenUp::Connect,
            Kind::Read(..) => GivenUp::Read,
            Kind::Write(socket, _) => {
                self.sockets[*socket as usize].record.open = false;
                GivenUp::Write
            }
        };
        self.given_up.push(given_up);
    }

    /// Ends a streamed exchange as it should: it is not among what was given up.
    pub fn leave(&mut self, exchange: u32) {
        assert!(self.streams.iter().any(|(known, ..)| *known == exchange), "a streamed exchange");
        self.operations[exchange as usize].given_up = true;
    }

    /// Does what the world would have done by now.
    fn complete(&mut self, operation: u32) {
        let operation = &mut self.operations[operation as usize];
        operation.announced = true;
        match &mut operation.kind {
            Kind::Exchange(reply, _) => {
                let captures = reply.captures.clone();
                let variables = &mut self.users.get_mut(&self.user).expect("a user whose task it is").variables;
                captures.iter().for_each(|(name, value)| set(variables, name, value));
            }
            Kind::Connect(socket) | Kind::Upgrade(_, Some(socket)) => {
                let socket = &mut self.sockets[*socket as usize];
                if socket.peer.refusal.is_none() {
                    socket.open(self.now);
                }
            }
            Kind::Read(socket, most, received) => {
                let socket = &mut self.sockets[*socket as usize];
                match received {
                    Ok(bytes) if socket.record.open => *bytes = socket.read(*most),
                    Ok(_) => *received = Err(FailureKind::Network),
                    Err(_) => {}
                }
            }
            Kind::Sleep | Kind::Upgrade(..) | Kind::Write(..) | Kind::Head(_) | Kind::Piece(_) | Kind::Sent => {}
        }
    }

    /// Records a request and puts it in flight.
    pub fn send(&mut self, request: SentRequest) -> u32 {
        let keep_body = request.options.keep_body;
        let reply = self.answer(request);
        self.submit(reply.after, Kind::Exchange(reply, keep_body))
    }

    /// The same of a request that asks for its connection.
    pub fn upgrade(&mut self, request: SentRequest) -> u32 {
        let address = address(&request.url);
        let reply = self.answer(request);
        let socket = (reply.outcome == Ok(101)).then(|| self.connection(&address).0);
        self.submit(reply.after, Kind::Upgrade(reply, socket))
    }

    /// Records a request; what comes back.
    fn answer(&mut self, request: SentRequest) -> Reply {
        let reply = self.script.replies.pop_front();
        let mut reply = reply.unwrap_or_else(|| panic!("the test has no reply for {} {}", request.method, request.url));
        reply.url.get_or_insert_with(|| request.url.clone());
        self.requests.push(request);
        reply
    }

    /// The reply of an announced exchange, and whether its body was asked for.
    pub fn reply(&mut self, operation: u32) -> (&Reply, bool) {
        match self.announced(operation) {
            Kind::Exchange(reply, keep_body) => (reply, *keep_body),
            _ => panic!("that operation has no reply"),
        }
    }

    /// Puts what is asked of a streamed exchange in flight: it completes with the exchange, right after it.
    pub fn ask(&mut self, exchange: u32, kind: Kind) -> u32 {
        let due = self.operations[exchange as usize].due.saturating_sub(self.now);
        self.submit(Duration::from_nanos(due), kind)
    }

    /// The reply of a streamed exchange that is over.
    pub fn streamed(&mut self, exchange: u32) -> Option<&Reply> {
        match &self.operations[exchange as usize] {
            Operation { kind: Kind::Exchange(reply, _), announced: true, .. } => Some(reply),
            _ => None,
        }
    }

    /// Puts a connect in flight.
    pub fn connect(&mut self, address: &Address) -> u32 {
        let (socket, after) = self.connection(address);
        self.submit(after, Kind::Connect(socket))
    }

    /// A connection that is being made, and how long that takes.
    fn connection(&mut self, address: &Address) -> (u32, Duration) {
        let peer = self.script.peers.pop_front();
        let peer = peer.unwrap_or_else(|| panic!("the test has no peer for {}:{}", address.host, address.port));
        let after = peer.after;
        self.sockets.push(Socket::new(peer, Connection::new(self.user, address)));
        (number(self.sockets.len() - 1), after)
    }

    /// A socket of the current user.
    #[track_caller]
    pub fn socket(&mut self, socket: u32) -> &mut Socket {
        let user = self.user;
        let socket = self.sockets.get_mut(socket as usize);
        socket.filter(|socket| socket.record.user == user).expect("a socket of the task's own user")
    }

    /// What is wrong with a second read, or a second write, while the first is in flight; or with a closed socket.
    pub fn refusal(&mut self, socket: u32, is_read: bool) -> Option<FailureKind> {
        let same = |operation: &Operation| match operation.kind {
            Kind::Read(other, ..) => is_read && other == socket,
            Kind::Write(other, _) => !is_read && other == socket,
            _ => false,
        };
        if self.operations.iter().any(|operation| operation.in_flight() && same(operation)) {
            return Some(FailureKind::Plugin);
        }
        (!self.socket(socket).record.open).then_some(FailureKind::Network)
    }
}

/// Where a URL leads, if it is an absolute one.
fn address(url: &str) -> Address {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let tls = (scheme == "https").then(|| TlsOptions { server_name: None, alpn: vec!["http/1.1".to_owned()] });
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = port.unwrap_or((authority, if tls.is_some() { 443 } else { 80 }));
    Address { host: host.to_owned(), port, tls }
}

/// Numbers that the host gives out.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a test has few of anything")
}

/// Sets a value under a name that occurs once.
pub(super) fn set(list: &mut Vec<(String, String)>, name: &str, value: &str) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => list.push((name.to_owned(), value.to_owned())),
    }
}
