//! The steps whose replies a condition may look into: only their content is kept for it. A condition reads the last
//! exchange before it, which is that of the step before, or of an earlier one if that step makes no exchange.
//!
//! Each part of a flow is summed up by the steps whose reply may be the last one after it, whether the one before it
//! may still be, and whether a condition in it reads that one. Two summaries make a third, so a flow is walked once.

use std::collections::BTreeSet;

use super::flow::{Block, BlockFlow, Flow, FlowNode};
use crate::expression::{Expression, ReplyDetail};

/// The built-in plugins whose steps make an exchange whenever they run to their end.
const ALWAYS_EXCHANGE: [&str; 5] = ["grpc", "http", "login", "page", "sse"];

/// Returns `true` if every step of a built-in plugin makes an exchange.
pub(super) fn always_exchanges(builtin: &str) -> bool {
    ALWAYS_EXCHANGE.contains(&builtin)
}

/// Returns the steps of a scenario, by their indices in the plan, whose content a condition may read.
/// `always_exchanges` tells of a step whether it makes an exchange for certain.
pub(super) fn read_by_conditions(flow: &Flow, always_exchanges: &dyn Fn(usize) -> bool) -> BTreeSet<usize> {
    let mut finder = ReplyFinder { always_exchanges, read: BTreeSet::new() };
    let all = finder.flow(flow);
    // The last exchange of an iteration is the one before the next iteration.
    if all.reads_entry {
        finder.read.extend(all.last);
    }
    finder.read
}

struct ReplyFinder<'a> {
    always_exchanges: &'a dyn Fn(usize) -> bool,
    read: BTreeSet<usize>,
}

/// A part of a flow, as far as the last exchange is concerned.
struct Summary {
    /// The steps whose reply may be the last one after the part.
    last: BTreeSet<usize>,
    /// `true` if the part may make no exchange.
    may_pass: bool,
    /// `true` if a condition in it may read the exchange before the part.
    reads_entry: bool,
}

impl Summary {
    /// Returns the summary of no steps.
    const fn nothing() -> Self {
        Self { last: BTreeSet::new(), may_pass: true, reads_entry: false }
    }

    /// Returns the summary of a part of which either is walked.
    fn or(mut self, other: Self) -> Self {
        self.last.extend(other.last);
        let (may_pass, reads_entry) = (self.may_pass || other.may_pass, self.reads_entry || other.reads_entry);
        Self { last: self.last, may_pass, reads_entry }
    }
}

impl ReplyFinder<'_> {
    fn flow(&mut self, flow: &Flow) -> Summary {
        flow.0.iter().fold(Summary::nothing(), |before, node| {
            let next = self.node(node);
            self.then(before, next)
        })
    }

    fn then(&mut self, before: Summary, next: Summary) -> Summary {
        if next.reads_entry {
            self.read.extend(&before.last);
        }
        let mut last = next.last;
        if next.may_pass {
            last.extend(before.last);
        }
        let reads_entry = before.reads_entry || (next.reads_entry && before.may_pass);
        Summary { last, may_pass: before.may_pass && next.may_pass, reads_entry }
    }

    fn node(&mut self, node: &FlowNode) -> Summary {
        match node {
            FlowNode::Step(step) => {
                Summary { last: [*step].into(), may_pass: !(self.always_exchanges)(*step), reads_entry: false }
            }
            FlowNode::Think(_) => Summary::nothing(),
            FlowNode::Block(block) => self.block(block),
        }
    }

    fn block(&mut self, block: &Block) -> Summary {
        let mut body = self.body(&block.body);
        if block.retry.is_some() {
            // A failed step ends a try, wherever it stands.
            block.body.steps(&mut |step| body.last.extend([step]));
        }
        if let Some(rounds) = &block.rounds {
            body.reads_entry |= rounds.condition.as_deref().is_some_and(reads_content);
            body.may_pass = true;
        }
        if (block.rounds.is_some() || block.retry.is_some()) && body.reads_entry {
            self.read.extend(&body.last);
        }
        let Some(when) = &block.when else { return body };
        let mut either = body.or(self.flow(&block.else_flow));
        either.reads_entry |= reads_content(when);
        either
    }

    fn body(&mut self, body: &BlockFlow) -> Summary {
        match body {
            BlockFlow::Sequence(flow) => self.flow(flow),
            BlockFlow::Choice(branches) => {
                let mut all = branches.iter().map(|branch| self.flow(&branch.flow));
                let first = all.next().unwrap_or_else(Summary::nothing);
                all.fold(first, Summary::or)
            }
            // The first lane is the user's own; each other one begins without an exchange, and its last is lost.
            BlockFlow::Parallel(lanes) => {
                let mut all = lanes.iter().map(|lane| self.flow(lane));
                let first = all.next().unwrap_or_else(Summary::nothing);
                all.for_each(drop);
                first
            }
        }
    }
}

fn reads_content(condition: &Expression) -> bool {
    condition.reply_detail() == ReplyDetail::Content
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::flow::{Rounds, WeightedFlow};
    use super::*;
    use crate::pace::{Backoff, ThinkTime};
    use crate::template::VariableNames;

    /// Steps from this one on may make no exchange.
    const SILENT: usize = 10;

    fn flow<const N: usize>(nodes: [FlowNode; N]) -> Flow {
        Flow(nodes.into())
    }

    fn steps<const N: usize>(steps: [usize; N]) -> Flow {
        flow(steps.map(FlowNode::Step))
    }

    fn condition(text: &str) -> Option<Arc<Expression>> {
        Some(Arc::new(Expression::compile(text, &mut VariableNames::default()).unwrap()))
    }

    fn plain(body: BlockFlow) -> Block {
        Block { group: None, when: None, else_flow: Flow::default(), rounds: None, retry: None, body }
    }

    fn when(text: &str, body: Flow, else_flow: Flow) -> FlowNode {
        let block = Block { when: condition(text), else_flow, ..plain(BlockFlow::Sequence(body)) };
        FlowNode::Block(Box::new(block))
    }

    #[track_caller]
    fn assert_read<const N: usize>(flow: &Flow, expected: [usize; N]) {
        assert_eq!(read_by_conditions(flow, &|step| step < SILENT), expected.into());
    }

    const READS: &str = "reply.body == \"a\"";

    #[test]
    fn only_the_step_before_a_condition_is_read() {
        let think = FlowNode::Think(ThinkTime::Fixed(1));
        let [one, two, four] = [1, 2, 4].map(FlowNode::Step);
        assert_read(&flow([one, two, think, when(READS, steps([3]), Flow::default()), four]), [2]);
        assert_read(&flow([FlowNode::Step(1), when("reply.status == 1", steps([2]), Flow::default())]), []);
    }

    #[test]
    fn a_step_that_may_make_no_exchange_leaves_the_one_before() {
        let [one, two, silent] = [1, 2, SILENT].map(FlowNode::Step);
        assert_read(&flow([one, two, silent, when(READS, steps([3]), Flow::default())]), [2, SILENT]);
    }

    #[test]
    fn the_first_condition_reads_the_last_step_of_the_iteration_before() {
        let first = || when(READS, steps([1]), steps([2, 3]));
        assert_read(&flow([first()]), [1, 3]);
        assert_read(&flow([first(), FlowNode::Step(4)]), [4]);
    }

    #[test]
    fn a_loop_reads_its_own_last_step() {
        let rounds = Some(Rounds { max: 9, condition: condition(READS) });
        let block = Block { rounds, ..plain(BlockFlow::Sequence(steps([2, 3]))) };
        assert_read(&flow([FlowNode::Step(1), FlowNode::Block(Box::new(block)), FlowNode::Step(4)]), [1, 3]);
    }

    #[test]
    fn any_step_of_a_block_that_is_retried_may_be_its_last() {
        let retry = Some(Backoff { max_retries: 1, first_wait: 1, max_wait: 1 });
        let block = Block { retry, ..plain(BlockFlow::Sequence(steps([1, 2]))) };
        let after = when(READS, steps([3]), Flow::default());
        assert_read(&flow([FlowNode::Step(0), FlowNode::Block(Box::new(block)), after]), [1, 2]);
    }

    #[test]
    fn branches_that_are_chosen_are_all_read_and_of_parallel_ones_the_first() {
        let branches = [steps([1]), steps([2, 3])];
        let chosen = branches.clone().map(|flow| WeightedFlow { weight_sum: 1.0, flow });
        let after = || when(READS, steps([4]), Flow::default());
        let choice = FlowNode::Block(Box::new(plain(BlockFlow::Choice(chosen.into()))));
        assert_read(&flow([FlowNode::Step(0), choice, after()]), [1, 3]);
        let parallel = FlowNode::Block(Box::new(plain(BlockFlow::Parallel(branches.into()))));
        assert_read(&flow([FlowNode::Step(0), parallel, after()]), [1]);
    }
}
