//! One walk of a user through its scenario's flow: steps one after the other, and blocks, which are chosen, repeated, tried
//! again or made at once. A plain list of steps is walked without an allocation; a block costs one each time it is entered.
//!
//! ```text
//!   block: when? ─no─▶ else
//!            └yes─▶ round: while? ─▶ group ─▶ try: steps | one of several | all at once ─▶ failed? wait, again
//!                     ▲─────────────────────────────────────────────────────────────────┘
//! ```

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use futures_util::future::maybe_done;
use stampede_time::Nanos;

use super::step_task::Ran;
use super::virtual_user::VirtualUser;
use crate::expression::{Expression, Facts, Last};
use crate::pace::{Retry, Think};
use crate::plan::flow::{Block, Flow, Group, Move, Moves};
use crate::user::Session;

/// A walk, or a part of one.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    user: &'a VirtualUser,
    /// Who walks: the user, or one of the lanes of a user who does several things at once.
    session: &'a Rc<Session>,
    /// Whether a failed step ends the part, since it is tried again as a whole.
    strict: bool,
    /// The rounds of the loop around it so far.
    round: u64,
}

impl<'a> Walk<'a> {
    /// Of a user who does one thing after the other.
    pub const fn new(user: &'a VirtualUser, session: &'a Rc<Session>) -> Self {
        Self { user, session, strict: false, round: 0 }
    }

    /// Walks a flow to its end, or as far as the user's time and data last.
    pub async fn flow(self, flow: &Flow) -> Ran {
        let mut all = Ran::Passed;
        for next in &flow.0 {
            let ran = match next {
                Move::Step(number) => self.step(*number).await,
                Move::Think(think) => self.think(*think).await,
                Move::Block(block) => Box::pin(self.block(block)).await,
            };
            match ran {
                Ran::Passed => {}
                Ran::Failed if self.strict => return Ran::Failed,
                Ran::Failed => all = Ran::Failed,
                Ran::CutShort => return Ran::CutShort,
            }
        }
        all
    }

    async fn step(self, number: usize) -> Ran {
        let session = self.session;
        let now = session.shared.clock.now();
        if !session.may_start_at(now) {
            return Ran::CutShort;
        }
        let ran = self.user.step(session, &self.user.plan().steps[number], now).await;
        session.passed.set(ran == Ran::Passed);
        if ran == Ran::Failed && !self.strict {
            self.user.failed();
        }
        if session.shortage().is_some() { Ran::CutShort } else { ran }
    }

    /// Waits, unless the user's time ends before that.
    async fn think(self, think: Think) -> Ran {
        self.pause(think.next(|| self.session.random_unit())).await
    }

    async fn pause(self, wait: Nanos) -> Ran {
        let until = self.session.shared.clock.now().saturating_add(wait);
        if self.session.pause_until(until).await { Ran::Passed } else { Ran::CutShort }
    }

    async fn block(self, block: &Block) -> Ran {
        if block.when.as_ref().is_some_and(|when| !self.holds(when)) {
            return self.flow(&block.otherwise).await;
        }
        let Some(rounds) = &block.rounds else { return self.once(block).await };
        let mut all = Ran::Passed;
        for round in 0..rounds.most {
            let walk = Self { round, ..self };
            if rounds.holds.as_ref().is_some_and(|condition| !walk.holds(condition)) {
                break;
            }
            // A loop whose steps never wait must neither keep the worker to itself nor outlive the run.
            tokio::task::consume_budget().await;
            if !self.session.running() {
                return Ran::CutShort;
            }
            match walk.once(block).await {
                Ran::Passed => {}
                Ran::Failed if self.strict => return Ran::Failed,
                Ran::Failed => all = Ran::Failed,
                Ran::CutShort => return Ran::CutShort,
            }
        }
        all
    }

    /// One round of a block, timed if it is a group. One that the end of the run cuts off is not counted.
    async fn once(self, block: &Block) -> Ran {
        let began = self.session.shared.clock.now();
        let ran = match block.retry {
            Some(retry) => self.again_and_again(block, retry).await,
            None => self.body(&block.body).await,
        };
        if let (Some(group), true) = (block.group, ran != Ran::CutShort) {
            self.count(group, began, ran);
        }
        ran
    }

    async fn again_and_again(self, block: &Block, retry: Retry) -> Ran {
        for time in 0.. {
            let ran = Self { strict: true, ..self }.body(&block.body).await;
            if ran != Ran::Failed {
                return ran;
            }
            let Some(wait) = retry.wait(time, || self.session.random_unit()) else { break };
            if self.pause(wait).await == Ran::CutShort {
                return Ran::CutShort;
            }
        }
        if !self.strict {
            self.user.failed();
        }
        Ran::Failed
    }

    async fn body(self, body: &Moves) -> Ran {
        match body {
            Moves::InTurn(flow) => self.flow(flow).await,
            Moves::OneOf(branches) => {
                let sum = branches.last().map_or(0.0, |(sum, _)| *sum);
                let drawn = self.session.random_unit() * sum;
                let at = branches.partition_point(|(sum, _)| *sum <= drawn).min(branches.len() - 1);
                self.flow(&branches[at].1).await
            }
            Moves::AtOnce(flows) => self.at_once(flows).await,
        }
    }

    /// Everything at once, each in a lane of its own. It has come to its end when all have.
    async fn at_once(self, flows: &[Flow]) -> Ran {
        let lanes = self.user.lanes(flows.len());
        lanes.iter().skip(1).for_each(|lane| lane.begin_lane(self.session));
        let walk = |(flow, session)| Box::pin(maybe_done(Walk { session, ..self }.flow(flow)));
        let mut walks: Vec<_> = flows.iter().zip(&*lanes).map(walk).collect();
        // All of them, each time: the user's task is woken for deadlines and for the end of the run, and not a lane.
        poll_fn(|cx| {
            let mut is_waiting = false;
            for walk in &mut walks {
                is_waiting |= walk.as_mut().poll(cx).is_pending();
            }
            if is_waiting { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let all: Vec<_> = walks.iter_mut().filter_map(|walk| walk.as_mut().take_output()).collect();
        let ran = [Ran::CutShort, Ran::Failed].into_iter().find(|ran| all.contains(ran)).unwrap_or(Ran::Passed);
        self.session.passed.set(ran == Ran::Passed);
        ran
    }

    fn holds(self, condition: &Expression) -> bool {
        let session = self.session;
        let (variables, last, none) = (session.variables().borrow(), session.last.borrow(), Last::none());
        let facts = Facts {
            variables: &variables,
            last: last.as_deref().unwrap_or(&none),
            passed: session.passed.get(),
            user: session.id,
            iteration: session.iteration.get(),
            round: self.round,
        };
        condition.holds(self.user.language(), &facts, |text, why| {
            let (text, why) = (session.redact(text), session.redact(why));
            tracing::warn!("the condition `{text}` cannot be told and is taken as false: {why}");
        })
    }

    fn count(self, group: Group, began: Nanos, ran: Ran) {
        let shared = &self.session.shared;
        let took = shared.clock.now().saturating_sub(began);
        let mut recorder = shared.recorder.borrow_mut();
        if recorder.counts(began) {
            recorder.add(group.duration, took as f64);
            recorder.add(group.passed, f64::from(u8::from(ran == Ran::Passed)));
        }
    }
}
