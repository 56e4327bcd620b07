//! The state of the fake host: the test's script, the operations in flight, and the records.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::record::{Connection, DeclaredLifetime, TransferRecord};
use super::socket::Socket;
use super::{GivenUp, Peer, Reply, Run, SentRequest};
use crate::bindings::http_types::RequestTemplate;
use crate::bindings::report_types::{MetricKind, MetricUnit};
use crate::bindings::socket_types::{Address, TlsOptions};
use crate::bindings::transfer_types::RowTimes;
use crate::{Failure, FailureKind, UserId};

/// The answers that the test scripts.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Replies to later requests, in the order sent.
    pub replies: VecDeque<Reply>,
    /// Peers of later connects, in the order submitted.
    pub peers: VecDeque<Peer>,
    /// Texts by helper call; the last text is never used up.
    pub helpers: Vec<(String, VecDeque<String>)>,
    /// The first variables of every user.
    pub variables: Vec<(String, String)>,
    /// The time at which the users' time ends, in virtual nanoseconds.
    pub ends_at: Option<u64>,
}

/// The kind of an operation, with its outcome once it is announced.
pub(super) enum OperationKind {
    Sleep,
    /// A wait for the end of the user's time.
    Ending,
    /// The reply, and `true` if the request asked for the body.
    Exchange(Reply, bool),
    /// The head of a streamed exchange.
    Head(u32),
    /// A read from a streamed exchange.
    Piece(u32),
    /// A write to a streamed exchange.
    Sent,
    /// The socket, by its number.
    Connect(u32),
    /// The reply to a request for a connection, and the socket that it becomes.
    Upgrade(Reply, Option<u32>),
    /// The socket, and the failure.
    Write(u32, Option<FailureKind>),
    /// The socket whose handshake it is, and the failure.
    Secure(u32, Option<FailureKind>),
    /// The socket, the most bytes to read, and the bytes received.
    Read(u32, usize, Result<Vec<u8>, FailureKind>),
}

/// An operation, by its number.
pub(super) struct Operation {
    pub kind: OperationKind,
    /// The time at which it was submitted, in virtual nanoseconds.
    pub submitted: u64,
    /// The time of completion; a read no sooner than its bytes arrive.
    pub due: u64,
    /// `true` once it was announced to the action.
    pub announced: bool,
    /// `true` once the action has given it up.
    given_up: bool,
}

/// A virtual user.
#[derive(Clone, Default)]
pub(super) struct User {
    /// The next number of the random stream.
    pub random: u64,
    /// The number of tasks begun.
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

/// A row below a step, by its number.
pub(super) struct FakeRow {
    pub name: String,
    pub times: RowTimes,
}

/// The host of one test thread. The numbers it issues are indexes into its lists.
#[derive(Default)]
pub(super) struct State {
    pub script: Script,
    /// `true` within `start` and `resume` of the guest: most imports trap elsewhere.
    pub in_task: bool,
    /// Virtual time since the run began, in nanoseconds.
    pub now: u64,
    /// Sources of templates, by number.
    pub templates: Vec<String>,
    /// Prepared requests, by number.
    pub prepared: Vec<RequestTemplate>,
    pub metrics: Vec<Metric>,
    pub rows: Vec<FakeRow>,
    /// The lifetime that the step being configured has declared.
    pub declared: DeclaredLifetime,
    pub sockets: Vec<Socket>,
    users: BTreeMap<UserId, User>,
    /// The current user.
    pub user: UserId,
    /// Operations of the current task, by number.
    operations: Vec<Operation>,
    /// The first report.
    pub reported: Option<Failure>,
    /// The first failure that the host itself found.
    pub found: Option<FailureKind>,
    pub requests: Vec<SentRequest>,
    pub measured: Vec<(String, f64)>,
    given_up: Vec<GivenUp>,
    /// The streamed exchanges: the operation, the request, and `true` once the content was handed over.
    pub streams: Vec<(u32, usize, bool)>,
    /// The exchanges in rows, by their operation.
    pub transfers: Vec<(u32, TransferRecord)>,
    pub log: Vec<String>,
    /// The time at which the current task began.
    began: u64,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Gives access for a moment: never while the action runs.
pub(super) fn with<T>(body: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(body)
}

/// Gives access for an import that only a task may call.
#[track_caller]
pub(super) fn in_task<T>(body: impl FnOnce(&mut State) -> T) -> T {
    with(|state| {
        assert!(state.in_task, "this import needs a running task: the host would end the instance");
        body(state)
    })
}

/// Begins with a new host, as at the start of a run.
pub(super) fn begin(script: Script) {
    STATE.replace(State { script, ..State::default() });
}

/// Advances to the operation that completes next, of several at one time the one submitted first; returns its number.
pub(super) fn complete_next() -> Option<u32> {
    with(|state| {
        let in_flight = state.operations.iter().zip(0..).filter(|(operation, _)| operation.in_flight());
        // The end of the user's time is announced before anything else of that time.
        let due = in_flight.filter_map(|(operation, number)| {
            let is_ending = matches!(operation.kind, OperationKind::Ending);
            Some((operation.due(&state.sockets)?, !is_ending, number))
        });
        let (due, _, number) = due.min_by_key(|(due, is_other, _)| (*due, *is_other))?;
        state.now = state.now.max(due);
        state.complete(number);
        Some(number)
    })
}

impl Operation {
    fn in_flight(&self) -> bool {
        !self.announced && !self.given_up
    }

    /// Returns the time at which it completes, if it does without a further write.
    fn due(&self, sockets: &[Socket]) -> Option<u64> {
        match &self.kind {
            OperationKind::Read(socket, _, Ok(_)) => Some(sockets[*socket as usize].arrival()?.max(self.due)),
            OperationKind::Ending if self.due == u64::MAX => None,
            _ => Some(self.due),
        }
    }
}

impl State {
    /// Begins a task of a user, with empty records.
    pub(crate) fn begin_task(&mut self, user: UserId) {
        let first = || User { variables: self.script.variables.clone(), ..User::default() };
        self.users.entry(user).or_insert_with(first).tasks += 1;
        (self.user, self.began) = (user, self.now);
        (self.reported, self.found) = (None, None);
        self.operations.clear();
        self.requests.clear();
        self.measured.clear();
        self.given_up.clear();
        self.streams.clear();
        self.transfers.clear();
        self.log.clear();
    }

    /// Ends the task and returns the records for the test.
    pub(crate) fn end_task(&mut self, passed: bool) -> Run {
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
            transfers: self.transfers.iter().map(|(_, transfer)| transfer.clone()).collect(),
            log: self.log.clone(),
            elapsed,
        }
    }

    /// Records the failure of a task that waits forever.
    pub(crate) fn stuck(&mut self) {
        self.found = self.operations.iter().any(Operation::in_flight).then_some(FailureKind::Timeout);
        if self.found.is_none() {
            let why = "the action waits, but no operation is in flight";
            self.reported = Some(Failure::new(FailureKind::Plugin, why));
        }
    }

    /// Drops a user and closes its sockets.
    pub(crate) fn forget_user(&mut self, user: UserId) {
        self.users.remove(&user);
        self.sockets
            .iter_mut()
            .filter(|socket| socket.record.user == user)
            .for_each(|socket| socket.record.open = false);
    }

    /// Returns the current user.
    pub(crate) fn user(&mut self) -> &mut User {
        self.users.get_mut(&self.user).expect("a user whose task it is")
    }

    /// Puts an operation in flight and returns its number.
    pub(crate) fn submit(&mut self, after: Duration, kind: OperationKind) -> u32 {
        let due = self.now.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
        self.operations.push(Operation { kind, submitted: self.now, due, announced: false, given_up: false });
        number(self.operations.len() - 1)
    }

    /// Puts a wait for the end of the user's time in flight.
    pub(crate) fn wait_for_ending(&mut self) -> u32 {
        let left = self.script.ends_at.map_or(u64::MAX, |end| end.saturating_sub(self.now));
        self.submit(Duration::from_nanos(left), OperationKind::Ending)
    }

    /// Returns an operation that was not given up.
    #[track_caller]
    pub(crate) fn operation(&self, operation: u32) -> &Operation {
        let operation = self.operations.get(operation as usize).filter(|operation| !operation.given_up);
        operation.expect("an operation of the task: the host would end the instance")
    }

    /// Returns the kind and outcome of an announced operation.
    #[track_caller]
    pub(crate) fn announced(&mut self, operation: u32) -> &mut OperationKind {
        let operation = &mut self.operations[operation as usize];
        assert!(operation.announced, "it is not announced yet");
        &mut operation.kind
    }

    /// Gives up an operation in flight.
    pub(crate) fn cancel(&mut self, operation: u32) {
        let Some(operation) = self.operations.get_mut(operation as usize).filter(|it| it.in_flight()) else { return };
        operation.given_up = true;
        let given_up = match &operation.kind {
            OperationKind::Sleep => GivenUp::Sleep,
            OperationKind::Ending => GivenUp::Ending,
            OperationKind::Exchange(..) => GivenUp::Exchange,
            // Their exchange is given up with them.
            OperationKind::Head(_) | OperationKind::Piece(_) | OperationKind::Sent => return,
            OperationKind::Connect(_) | OperationKind::Upgrade(..) => GivenUp::Connect,
            OperationKind::Read(..) => GivenUp::Read,
            OperationKind::Write(socket, _) => {
                self.sockets[*socket as usize].record.open = false;
                GivenUp::Write
            }
            OperationKind::Secure(socket, _) => {
                self.sockets[*socket as usize].record.open = false;
                GivenUp::Secure
            }
        };
        self.given_up.push(given_up);
    }

    /// Ends a streamed exchange as intended: it is not recorded as given up.
    pub(crate) fn leave(&mut self, exchange: u32) {
        assert!(self.streams.iter().any(|(known, ..)| *known == exchange), "a streamed exchange");
        self.give_up_quietly(exchange);
    }

    /// Ends an operation without a record. Returns `true` if it was in flight.
    pub(crate) fn give_up_quietly(&mut self, operation: u32) -> bool {
        let operation = &mut self.operations[operation as usize];
        let was_in_flight = operation.in_flight();
        operation.given_up = true;
        was_in_flight
    }

    /// Announces an operation, with the effects of its completion.
    fn complete(&mut self, operation: u32) {
        let operation = &mut self.operations[operation as usize];
        operation.announced = true;
        match &mut operation.kind {
            OperationKind::Exchange(reply, _) => {
                let captures = reply.captures.clone();
                let variables = &mut self.users.get_mut(&self.user).expect("a user whose task it is").variables;
                captures.iter().for_each(|(name, value)| set(variables, name, value));
            }
            OperationKind::Connect(socket) | OperationKind::Upgrade(_, Some(socket)) => {
                let socket = &mut self.sockets[*socket as usize];
                if socket.peer.refusal.is_none() {
                    socket.open(self.now);
                }
            }
            OperationKind::Secure(socket, None) => self.sockets[*socket as usize].secure(self.now),
            OperationKind::Read(socket, most, received) => {
                let socket = &mut self.sockets[*socket as usize];
                match received {
                    Ok(bytes) if socket.record.open => *bytes = socket.read(*most),
                    Ok(_) => *received = Err(FailureKind::Network),
                    Err(_) => {}
                }
            }
            OperationKind::Sleep
            | OperationKind::Ending
            | OperationKind::Upgrade(..)
            | OperationKind::Write(..)
            | OperationKind::Secure(..)
            | OperationKind::Head(_)
            | OperationKind::Piece(_)
            | OperationKind::Sent => {}
        }
    }

    /// Records a request and puts it in flight.
    pub(crate) fn send(&mut self, request: SentRequest) -> u32 {
        let keep_body = request.options.keep_body;
        let reply = self.answer(request);
        self.submit(reply.after, OperationKind::Exchange(reply, keep_body))
    }

    /// Records a request that asks for its connection and puts it in flight.
    pub(crate) fn upgrade(&mut self, request: SentRequest) -> u32 {
        let address = address(&request.url);
        let reply = self.answer(request);
        let socket = (reply.outcome == Ok(101)).then(|| self.connection(&address).0);
        self.submit(reply.after, OperationKind::Upgrade(reply, socket))
    }

    /// Records a request and returns its reply.
    fn answer(&mut self, request: SentRequest) -> Reply {
        let reply = self.script.replies.pop_front();
        let mut reply = reply.unwrap_or_else(|| panic!("the test has no reply for {} {}", request.method, request.url));
        reply.url.get_or_insert_with(|| request.url.clone());
        self.requests.push(request);
        reply
    }

    /// Returns the reply of an announced exchange, and `true` if its body was asked for.
    pub(crate) fn reply(&mut self, operation: u32) -> (&Reply, bool) {
        match self.announced(operation) {
            OperationKind::Exchange(reply, keep_body) => (reply, *keep_body),
            _ => panic!("that operation has no reply"),
        }
    }

    /// Puts an operation on a streamed exchange in flight: it completes right after the exchange.
    pub(crate) fn ask(&mut self, exchange: u32, kind: OperationKind) -> u32 {
        let due = self.operations[exchange as usize].due.saturating_sub(self.now);
        self.submit(Duration::from_nanos(due), kind)
    }

    /// Returns the reply of a streamed exchange that is over.
    pub(crate) fn streamed(&mut self, exchange: u32) -> Option<&Reply> {
        match &self.operations[exchange as usize] {
            Operation { kind: OperationKind::Exchange(reply, _), announced: true, .. } => Some(reply),
            _ => None,
        }
    }

    /// Puts a connect in flight.
    pub(crate) fn connect(&mut self, address: &Address) -> u32 {
        let (socket, after) = self.connection(address);
        self.submit(after, OperationKind::Connect(socket))
    }

    /// Adds a connection that is being established; returns its number and the time that takes.
    fn connection(&mut self, address: &Address) -> (u32, Duration) {
        let peer = self.script.peers.pop_front();
        let peer = peer.unwrap_or_else(|| panic!("the test has no peer for {}:{}", address.host, address.port));
        let after = peer.after;
        self.sockets.push(Socket::new(peer, Connection::new(self.user, address)));
        (number(self.sockets.len() - 1), after)
    }

    /// Returns a socket of the current user.
    #[track_caller]
    pub(crate) fn socket(&mut self, socket: u32) -> &mut Socket {
        let user = self.user;
        let socket = self.sockets.get_mut(socket as usize);
        socket.filter(|socket| socket.record.user == user).expect("a socket of the task's own user")
    }

    /// Returns the failure of a second read, or a second write, while the first is in flight; or of a closed socket.
    pub(crate) fn refusal(&mut self, socket: u32, is_read: bool) -> Option<FailureKind> {
        let same = |operation: &Operation| match operation.kind {
            OperationKind::Read(other, ..) => is_read && other == socket,
            OperationKind::Write(other, _) => !is_read && other == socket,
            OperationKind::Secure(other, _) => other == socket,
            _ => false,
        };
        if self.operations.iter().any(|operation| operation.in_flight() && same(operation)) {
            return Some(FailureKind::Plugin);
        }
        (!self.socket(socket).record.open).then_some(FailureKind::Network)
    }

    /// Returns the failure of a handshake on a socket that is closed, busy or over TLS, on which bytes are unread, or
    /// whose peer refuses TLS.
    pub(crate) fn tls_refusal(&mut self, socket: u32) -> Option<FailureKind> {
        let busy = self.refusal(socket, true).or(self.refusal(socket, false));
        let now = self.now;
        let socket = self.socket(socket);
        if busy.is_some() {
            busy
        } else if socket.record.tls {
            Some(FailureKind::Plugin)
        } else if socket.arrival().is_some_and(|arrival| arrival <= now) {
            Some(FailureKind::Protocol)
        } else {
            socket.refuses_tls().then_some(FailureKind::Network)
        }
    }
}

/// Returns the address of an absolute URL.
fn address(url: &str) -> Address {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let tls = (scheme == "https").then(|| TlsOptions { server_name: None, alpn: vec!["http/1.1".to_owned()] });
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = port.unwrap_or((authority, if tls.is_some() { 443 } else { 80 }));
    Address { host: host.to_owned(), port, tls }
}

/// Converts an index to a number of the contract.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a test has few of anything")
}

/// Sets the value of a name, which occurs once in the list.
pub(super) fn set(list: &mut Vec<(String, String)>, name: &str, value: &str) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => list.push((name.to_owned(), value.to_owned())),
    }
}
