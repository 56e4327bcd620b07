//! Operations that need no socket: an exchange with its redirects, a request that cannot be sent, a sleep, and waits
//! for the user's turn and for the end of its time. The first two wait for their turn by themselves.

use std::rc::Rc;

use hyper::header::HeaderValue;
use stampede_time::Nanos;

use super::operation::{CompletedExchange, Completion, OperationId};
use super::session::Session;
use super::start::RequestStart;
use crate::http::{self, Request, RequestTarget};
use crate::metrics::sample::{FailureKind, RowId};
use crate::net::{self, Failure, Grants, Measurements};

/// The number of targets that the text about a chain of redirects names; the middle ones are left out.
const MAX_NAMED_REDIRECTS: usize = 8;

/// The redirects that an exchange follows.
pub(crate) struct RedirectPolicy {
    max: u8,
    /// Hosts that they may lead to; `None` if none is followed.
    grants: Option<Rc<Grants>>,
    /// The targets whose replies were followed, in order.
    followed: Vec<RequestTarget>,
}

impl RedirectPolicy {
    /// Creates a policy that follows at most `max` redirects, to granted hosts.
    pub(crate) fn new(max: u8, grants: &Rc<Grants>) -> Self {
        Self { max, grants: (max > 0).then(|| Rc::clone(grants)), followed: Vec::new() }
    }

    /// Returns the request that a reply redirects to, if redirects are followed. One that cannot be followed, or is one
    /// too many, fails the exchange.
    fn follow(&mut self, session: &Session, sent: &Request, completed: &mut CompletedExchange) -> Option<Request> {
        let grants = self.grants.as_ref()?;
        let Ok(reply) = &completed.result else { return None };
        if !reply.status.is_redirection() {
            return None;
        }
        let is_secret = |value: &HeaderValue| session.holds_secret(value);
        let followed = http::redirect::next(sent, reply, is_secret, grants).and_then(|next| {
            let Some(next) = next else { return Ok(None) };
            self.followed.push(sent.destination());
            if self.followed.len() > usize::from(self.max) {
                return Err(self.one_too_many(next.destination()));
            }
            Ok(Some(next))
        });
        followed.unwrap_or_else(|failure| {
            completed.result = Err(failure);
            None
        })
    }

    /// Returns the failure of a redirect to `last` that is not followed any more. The text has no queries, which may
    /// hold secrets.
    fn one_too_many(&self, last: RequestTarget) -> Failure {
        let is_loop = self.followed.iter().any(|earlier| earlier.url() == last.url());
        let names = self.followed.iter().chain([&last]).map(|target| {
            if net::same_origin(&target.origin, &self.followed[0].origin) {
                return target.path.path().to_owned();
            }
            let mut url = target.url();
            url.iter_mut().for_each(|url| url.set_query(None));
            url.map(String::from).unwrap_or_default()
        });
        let mut names: Vec<String> = names.collect();
        if names.len() > MAX_NAMED_REDIRECTS {
            names.splice(MAX_NAMED_REDIRECTS / 2..names.len() - MAX_NAMED_REDIRECTS / 2, ["…".to_owned()]);
        }
        let what = if is_loop { "redirect loop" } else { "too many redirects" };
        let detail = format!("{what}, given up after {}: {}", self.max, names.join(" → "));
        Failure { kind: FailureKind::Redirects, detail: detail.into() }
    }
}

/// Runs one exchange, from the wait for its turn to the last byte, and follows redirects. Every hop but the last is
/// recorded here; the last one is left to the guest's judgement. If the run ends between two hops, there is no last
/// one. All count in `row`, or in that of the step.
pub(crate) fn run_exchange(
    session: Rc<Session>,
    id: OperationId,
    request: Request,
    mut redirects: RedirectPolicy,
    row: Option<RowId>,
) -> impl Future<Output = Completion> {
    let mut sent = SentRequest { request: Some(request), id, session: Rc::clone(&session) };
    // An `async fn` would have room for its arguments twice: as they came, and as they are used.
    async move {
        let task = &session.task;
        let meter = task.operations.spare_meter();
        let mut hop = 0;
        loop {
            // It has its request until it ends.
            let Some(request) = &sent.request else { return Completion::NotStarted };
            let Some(start) = session.next_turn().await else {
                // The guest may be waiting for its content, which will not come.
                request.channel.iter().for_each(|channel| channel.fail(Failure::network("the run ended first")));
                return Completion::NotStarted;
            };
            task.any_started.set(true);
            task.operations.begin_exchange(id, &meter, start);
            if row.is_some() {
                meter.update(|measured| measured.row = row);
            }
            if let Some(span) = session.begin_attempt(&meter, request, start.at, hop) {
                meter.update(|measured| measured.span = Some(span));
            }
            let under_way = task.active_time.go(&session.shared.clock);
            let result = http::exchange(&session.shared.client, &session.http, &meter, request).await;
            drop(under_way);
            task.operations.end_exchange(id);
            let measured = *meter.read();
            session.end_attempt(&measured);
            let mut completed = Box::new(CompletedExchange { measured, result, request: None });
            let Some(next) = redirects.follow(&session, request, &mut completed) else {
                task.operations.keep_meter(meter);
                completed.charge_headers(&task.allowance);
                completed.request = sent.request.take();
                return Completion::Exchange(completed);
            };
            let sample = completed.to_sample(task.row());
            session.show_hop(&sample, request, &completed);
            session.record(&sample);
            if let (Some(allowance), Ok(reply)) = (&request.keep_body, &completed.result) {
                allowance.set(allowance.get() + reply.body.len());
            }
            sent.request = Some(next);
            hop += 1;
        }
    }
}

/// The request of an exchange. If the exchange's future is dropped, it is left to the task, which may show it.
struct SentRequest {
    /// Taken at the end of the exchange.
    request: Option<Request>,
    id: OperationId,
    session: Rc<Session>,
}

impl Drop for SentRequest {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.session.task.operations.leave_request(self.id, request);
        }
    }
}

/// Sleeps at least that long; ends early when the run does. A sleep of no time only lets others go first, also while
/// the run is ending: a guest that divides its computation has begun it.
pub(crate) async fn sleep(session: Rc<Session>, nanoseconds: u64) -> Completion {
    session.task.any_started.set(true);
    if nanoseconds == 0 {
        tokio::task::yield_now().await;
        return Completion::WaitOver;
    }
    let until = session.shared.clock.now().saturating_add(nanoseconds);
    if session.wait_until(until).await { Completion::WaitOver } else { Completion::NotStarted }
}

/// Waits for the user's turn, which the task then holds.
pub(crate) async fn wait_for_turn(session: Rc<Session>) -> Completion {
    let turn = session.wait_for_turn().await;
    session.task.held_turn.set(turn);
    if turn.is_some() { Completion::WaitOver } else { Completion::NotStarted }
}

/// Waits for the end of the user's time, after which it may begin nothing more.
pub(crate) async fn wait_for_ending(session: Rc<Session>) -> Completion {
    session.pause_until(Nanos::MAX).await;
    Completion::WaitOver
}

/// Fails a request that could not be built, after its turn like any other request.
pub(crate) async fn fail_unsendable(session: Rc<Session>, failure: Failure, row: Option<RowId>) -> Completion {
    let Some(RequestStart { at, late }) = session.next_turn().await else { return Completion::NotStarted };
    session.task.any_started.set(true);
    let measured = Measurements { start: at, late, end: Some(at), row, ..Measurements::default() };
    Completion::Exchange(Box::new(CompletedExchange { measured, result: Err(failure), request: None }))
}
