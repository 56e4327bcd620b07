//! A flow in lines, as `check` shows it: each step with its number, and what is done with steps above those that stand
//! further to the right.

use std::fmt::Write as _;
use std::time::Duration;

use super::Plan;
use super::flow::{Block, BlockFlow, Flow, FlowNode, Rounds};
use crate::pace::Backoff;

/// The lines of a flow.
pub fn outline(plan: &Plan, flow: &Flow) -> String {
    let mut outline = OutlineWriter { plan, out: String::new(), number: 0 };
    outline.flow(flow, 1);
    outline.out
}

struct OutlineWriter<'a> {
    plan: &'a Plan,
    out: String,
    /// Of the step written last.
    number: usize,
}

impl OutlineWriter<'_> {
    fn flow(&mut self, flow: &Flow, depth: usize) {
        for next in &flow.0 {
            match next {
                FlowNode::Step(index) => self.step(*index, depth),
                FlowNode::Think(_) => {}
                FlowNode::Block(block) => self.block(block, depth),
            }
        }
    }

    fn step(&mut self, index: usize, depth: usize) {
        self.number += 1;
        let step = &self.plan.steps[index];
        let row = &self.plan.rows[step.row as usize];
        let within = humantime::format_duration(Duration::from_nanos(step.timeout));
        let text = format!("{}. {} (action `{}`, within {within})", self.number, row.name, row.action);
        self.line(depth, &text);
    }

    fn block(&mut self, block: &Block, depth: usize) {
        let mut inner = depth;
        for text in self.headings(block) {
            self.line(inner, &format!("{text}:"));
            inner += 1;
        }
        match &block.body {
            BlockFlow::Sequence(flow) => self.flow(flow, inner),
            BlockFlow::Parallel(flows) => {
                self.line(inner, "at once:");
                flows.iter().for_each(|flow| self.flow(flow, inner + 1));
            }
            BlockFlow::Choice(branches) => self.branches(branches, inner),
        }
        if !block.else_flow.0.is_empty() {
            self.line(depth, "else:");
            self.flow(&block.else_flow, depth + 1);
        }
    }

    fn branches(&mut self, branches: &[(f64, Flow)], depth: usize) {
        let all = branches.last().map_or(0.0, |(sum, _)| *sum);
        let mut before = 0.0;
        for (sum, flow) in branches {
            let share = (sum - before) / all * 100.0;
            before = *sum;
            self.line(depth, &format!("in {} % of the cases:", (share * 10.0).round() / 10.0));
            self.flow(flow, depth + 1);
        }
    }

    /// What is said of a block before its steps, the outer things first.
    fn headings(&self, block: &Block) -> Vec<String> {
        let when = block.when.as_ref().map(|when| format!("if {when}"));
        let rounds = block.rounds.as_ref().map(rounds);
        let group = block.group.map(|group| {
            let name = self.plan.metrics[usize::from(group.duration)].name.trim_end_matches(".duration");
            format!("timed together as {name}")
        });
        let retry = block.retry.map(|Backoff { max_retries: times, .. }| {
            format!("again up to {}, as long as it fails", count(times.into()))
        });
        [when, rounds, group, retry].into_iter().flatten().collect()
    }

    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.out, "{}{text}", "  ".repeat(depth));
    }
}

fn rounds(rounds: &Rounds) -> String {
    match (&rounds.condition, rounds.max) {
        (None, most) => count(most),
        (Some(holds), u64::MAX) => format!("while {holds}"),
        (Some(holds), most) => format!("up to {}, while {holds}", count(most)),
    }
}

fn count(times: u64) -> String {
    if times == 1 { "once".into() } else { format!("{times} times") }
}
