//! A user's walk through its scenario's flow: steps one after the other, and blocks, which are chosen, repeated,
//! retried or walked in parallel. A plain list of steps is walked without an allocation; entering a block costs one.
//!
//! ```text
//!   block: when? ─no─▶ else
//!            └yes─▶ round: while? ─▶ group ─▶ try: sequence | choice | parallel ─▶ failed? wait, retry
//!                     ▲──────────────────────────────────────────────────────────┘
//! ```

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use futures_util::future::maybe_done;
use stampede_time::Nanos;

use super::step_task::StepOutcome;
use super::virtual_user::VirtualUser;
use crate::expression::{Expression, ExpressionInputs, LastExchange};
use crate::pace::{Backoff, ThinkTime};
use crate::plan::flow::{Block, BlockFlow, Flow, FlowNode, GroupMetrics};
use crate::user::Session;

/// A walk, or a part of one.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    user: &'a VirtualUser,
    /// The session that walks: the user's own, or one of its lanes for parallel branches.
    session: &'a Rc<Session>,
    /// `true` if a failed step ends the part, because the part is retried as a whole.
    strict: bool,
    /// The number of the current round in the loop around it, from 0.
    round: u64,
    /// The number of times that it was walked before in vain, by the `retry` around it.
    repeat: u32,
}

impl<'a> Walk<'a> {
    /// Returns the walk of a session.
    pub(super) const fn new(user: &'a VirtualUser, session: &'a Rc<Session>) -> Self {
        Self { user, session, strict: false, round: 0, repeat: 0 }
    }

    /// Walks a flow to its end, or until the user's time or data ends.
    pub(super) async fn flow(self, flow: &Flow) -> StepOutcome {
        let mut outcome = StepOutcome::Passed;
        for next in &flow.0 {
            let step_outcome = match next {
                FlowNode::Step(number) => self.step(*number).await,
                FlowNode::Think(think) => self.think(*think).await,
                FlowNode::Block(block) => Box::pin(self.block(block)).await,
            };
            match step_outcome {
                StepOutcome::Passed => {}
                StepOutcome::Failed if self.strict => return StepOutcome::Failed,
                StepOutcome::Failed => outcome = StepOutcome::Failed,
                StepOutcome::CutShort => return StepOutcome::CutShort,
            }
        }
        outcome
    }

    async fn step(self, number: usize) -> StepOutcome {
        let session = self.session;
        let now = session.shared.clock.now();
        if !session.may_start_at(now) {
            return StepOutcome::CutShort;
        }
        session.repeat.set(self.repeat);
        let outcome = self.user.step(session, &self.user.plan().steps[number], now).await;
        session.last_step_passed.set(outcome == StepOutcome::Passed);
        if outcome == StepOutcome::Failed && !self.strict {
            self.user.mark_failed();
        }
        if session.user_shortage().is_some() { StepOutcome::CutShort } else { outcome }
    }

    /// Waits for the think time, unless the user's time ends first.
    async fn think(self, think: ThinkTime) -> StepOutcome {
        self.pause(think.next_wait(|| self.session.random_unit())).await
    }

    async fn pause(self, wait: Nanos) -> StepOutcome {
        let until = self.session.shared.clock.now().saturating_add(wait);
        if self.session.pause_until(until).await { StepOutcome::Passed } else { StepOutcome::CutShort }
    }

    async fn block(self, block: &Block) -> StepOutcome {
        if block.when.as_ref().is_some_and(|when| !self.holds(when)) {
            return self.flow(&block.else_flow).await;
        }
        let Some(rounds) = &block.rounds else { return self.run_round(block).await };
        let mut all = StepOutcome::Passed;
        for round in 0..rounds.max {
            let walk = Self { round, ..self };
            if rounds.condition.as_ref().is_some_and(|condition| !walk.holds(condition)) {
                break;
            }
            // A loop whose steps never wait must neither keep the worker to itself nor outlive the run.
            tokio::task::consume_budget().await;
            if !self.session.may_start() {
                return StepOutcome::CutShort;
            }
            match walk.run_round(block).await {
                StepOutcome::Passed => {}
                StepOutcome::Failed if self.strict => return StepOutcome::Failed,
                StepOutcome::Failed => all = StepOutcome::Failed,
                StepOutcome::CutShort => return StepOutcome::CutShort,
            }
        }
        all
    }

    /// Walks one round of a block, which is timed if it is a group. A round that the end of the run cuts off is not
    /// counted.
    async fn run_round(self, block: &Block) -> StepOutcome {
        let began = self.session.shared.clock.now();
        let outcome = match block.retry {
            Some(retry) => self.with_retries(block, retry).await,
            None => self.body(&block.body).await,
        };
        if let (Some(group), true) = (block.group, outcome != StepOutcome::CutShort) {
            self.record_group(group, began, outcome);
        }
        outcome
    }

    async fn with_retries(self, block: &Block, retry: Backoff) -> StepOutcome {
        for number in 0.. {
            let outcome = Self { strict: true, repeat: number, ..self }.body(&block.body).await;
            if outcome != StepOutcome::Failed {
                return outcome;
            }
            let Some(wait) = retry.wait_before(number, || self.session.random_unit()) else { break };
            if self.pause(wait).await == StepOutcome::CutShort {
                return StepOutcome::CutShort;
            }
        }
        if !self.strict {
            self.user.mark_failed();
        }
        StepOutcome::Failed
    }

    async fn body(self, body: &BlockFlow) -> StepOutcome {
        match body {
            BlockFlow::Sequence(flow) => self.flow(flow).await,
            BlockFlow::Choice(branches) => {
                let sum = branches.last().map_or(0.0, |branch| branch.weight_sum);
                let drawn = self.session.random_unit() * sum;
                let at = branches.partition_point(|branch| branch.weight_sum <= drawn).min(branches.len() - 1);
                self.flow(&branches[at].flow).await
            }
            BlockFlow::Parallel(flows) => self.in_parallel(flows).await,
        }
    }

    /// Walks flows in parallel, each in its own lane, until all have ended.
    async fn in_parallel(self, flows: &[Flow]) -> StepOutcome {
        let lanes = self.user.lanes(flows.len());
        lanes.iter().skip(1).for_each(|lane| lane.begin_lane(self.session));
        let walk = |(flow, session)| Box::pin(maybe_done(Walk { session, ..self }.flow(flow)));
        let mut walks: Vec<_> = flows.iter().zip(&*lanes).map(walk).collect();
        // Every walk is polled each time, because deadlines and the end of the run wake the user's task, not a lane.
        poll_fn(|cx| {
            let mut is_waiting = false;
            for walk in &mut walks {
                is_waiting |= walk.as_mut().poll(cx).is_pending();
            }
            if is_waiting { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let all: Vec<_> = walks.iter_mut().filter_map(|walk| walk.as_mut().take_output()).collect();
        let outcome = [StepOutcome::CutShort, StepOutcome::Failed]
            .into_iter()
            .find(|outcome| all.contains(outcome))
            .unwrap_or(StepOutcome::Passed);
        self.session.last_step_passed.set(outcome == StepOutcome::Passed);
        outcome
    }

    fn holds(self, condition: &Expression) -> bool {
        let session = self.session;
        let (variables, last, none) =
            (session.variables().borrow(), session.last_exchange.borrow(), LastExchange::empty());
        let inputs = ExpressionInputs {
            variables: &variables,
            last: last.as_deref().unwrap_or(&none),
            passed: session.last_step_passed.get(),
            user: session.id,
            iteration: session.iteration.get(),
            round: self.round,
        };
        condition.holds(self.user.language(), &inputs, |text, reason| {
            let (text, reason) = (session.redact(text), session.redact(reason));
            tracing::warn!("the condition `{text}` cannot be evaluated and is taken as false: {reason}");
        })
    }

    fn record_group(self, group: GroupMetrics, began: Nanos, outcome: StepOutcome) {
        let shared = &self.session.shared;
        let took = shared.clock.now().saturating_sub(began);
        let mut recorder = shared.recorder.borrow_mut();
        if recorder.is_counted(began) {
            recorder.add_to_metric(group.duration, took as f64);
            recorder.add_to_metric(group.passed, f64::from(u8::from(outcome == StepOutcome::Passed)));
        }
    }
}
