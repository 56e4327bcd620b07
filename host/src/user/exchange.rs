//! Operations that need no socket: an exchange with its redirects, a sleep, and a request that cannot be sent. Each waits
//! for the user's turn first.

use std::rc::Rc;

use super::operation::{Ended, OperationId, TimedExchange};
use super::session::Session;
use super::start::Start;
use crate::http::{self, Request};
use crate::net::{Failure, Grants, Measured};

/// Which redirects an exchange follows.
pub struct Redirects {
    left: u8,
    /// Where they may lead; not needed if none is followed.
    grants: Option<Rc<Grants>>,
}

impl Redirects {
    /// So many, to granted hosts.
    pub fn new(most: u8, grants: &Rc<Grants>) -> Self {
        Self { left: most, grants: (most > 0).then(|| Rc::clone(grants)) }
    }

    /// The request that a reply asks for, if one more is followed. A redirect that cannot be followed fails the
    /// exchange.
    fn next(&mut self, session: &Session, sent: &Request, timed: &mut TimedExchange) -> Option<Request> {
        let grants = self.grants.as_ref().filter(|_| self.left > 0)?;
        let Ok(reply) = &timed.result else { return None };
        if !reply.status.is_redirection() {
            return None;
        }
        let secrets: Vec<_> = session.headers().iter().map(|(name, _)| name.clone()).collect();
        match http::redirect::next(sent, reply, &secrets, grants) {
            Ok(next) => {
                self.left -= 1;
                next
            }
            Err(failure) => {
                timed.result = Err(failure);
                None
            }
        }
    }
}

/// One exchange from the wait for its turn to the last byte, redirects followed. Every hop but the last is recorded
/// here; the last one is left to the guest's judgement. If the run ends between two hops, there is no last one.
pub async fn exchange(session: Rc<Session>, id: OperationId, mut request: Request, mut redirects: Redirects) -> Ended {
    let task = &session.task;
    let meter = task.spare_meter();
    loop {
        let Some(start) = session.turn().await else { return Ended::NotStarted };
        task.begin_exchange(id, &meter, start);
        let result = http::exchange(&session.shared.client, &session.http, &meter, &request).await;
        task.end_exchange(id);
        let mut timed = Box::new(TimedExchange { measured: *meter.read(), result, target: None });
        match redirects.next(&session, &request, &mut timed) {
            None => {
                task.keep_meter(meter);
                timed.hold_headers(&task.allowance);
                timed.target = Some((request.origin, request.target));
                return Ended::Exchange(timed);
            }
            Some(next) => request = next,
        }
        session.record(&timed.sample(task.row.get()));
        if let (Some(allowance), Ok(reply)) = (&request.keep_body, &timed.result) {
            allowance.set(allowance.get() + reply.body.len());
        }
    }
}

/// A sleep of at least that long; it ends early when the run does.
pub async fn sleep(session: Rc<Session>, nanoseconds: u64) -> Ended {
    session.task.begun_any.set(true);
    let until = session.shared.clock.now().saturating_add(nanoseconds);
    if session.wait_until(until).await { Ended::Slept } else { Ended::NotStarted }
}

/// A request that could not even be built: it takes its turn like any other, and fails.
pub async fn unsendable(session: Rc<Session>, failure: Failure) -> Ended {
    let Some(Start { at, late }) = session.turn().await else { return Ended::NotStarted };
    session.task.begun_any.set(true);
    let measured = Measured { start: at, late, end: Some(at), ..Measured::default() };
    Ended::Exchange(Box::new(TimedExchange { measured, result: Err(failure), target: None }))
}
