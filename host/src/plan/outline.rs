//! The outline of a flow in `check`: one line for each step, with its number. A line that heads a block stands above
//! the block's lines, which are indented further.

use std::fmt::Write as _;
use std::time::Duration;

use super::Plan;
use super::flow::{Block, BlockFlow, Flow, FlowNode, Rounds, WeightedFlow};
use crate::pace::Backoff;
use crate::plugin::contract::preview::RequestPreview;

/// Returns the lines of a flow.
pub(super) fn outline(plan: &Plan, flow: &Flow) -> String {
    let mut outline = OutlineWriter { plan, out: String::new(), number: 0 };
    outline.flow(flow, 1);
    outline.out
}

struct OutlineWriter<'a> {
    plan: &'a Plan,
    out: String,
    /// The number of the last step written.
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
        let mut text = format!("{}. {} (action `{}`, within {within})", self.number, row.name, row.action);
        if let Some(RequestPreview { method, url: Some(url), .. }) = &step.request {
            let secrets = &self.plan.runtime.script_context.secrets;
            text += &format!(": {method} {}", secrets.redact(url, &[]));
        }
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
                self.line(inner, "in parallel:");
                flows.iter().for_each(|flow| self.flow(flow, inner + 1));
            }
            BlockFlow::Choice(branches) => self.branches(branches, inner),
        }
        if !block.else_flow.0.is_empty() {
            self.line(depth, "else:");
            self.flow(&block.else_flow, depth + 1);
        }
    }

    fn branches(&mut self, branches: &[WeightedFlow], depth: usize) {
        let all = branches.last().map_or(0.0, |branch| branch.weight_sum);
        let mut before = 0.0;
        for WeightedFlow { weight_sum, flow } in branches {
            let share = (weight_sum - before) / all * 100.0;
            before = *weight_sum;
            self.line(depth, &format!("in {} % of the cases:", (share * 10.0).round() / 10.0));
            self.flow(flow, depth + 1);
        }
    }

    /// Returns the lines above the steps of a block, the outer ones first.
    fn headings(&self, block: &Block) -> Vec<String> {
        let when = block.when.as_ref().map(|when| format!("if {when}"));
        let rounds = block.rounds.as_ref().map(rounds);
        let group = block.group.map(|group| {
            let name = self.plan.metrics[usize::from(group.duration)].name.trim_end_matches(".duration");
            format!("timed together as {name}")
        });
        let retry = block
            .retry
            .map(|Backoff { max_retries: times, .. }| format!("retried up to {} if it fails", count(times.into())));
        [when, rounds, group, retry].into_iter().flatten().collect()
    }

    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.out, "{}{text}", "  ".repeat(depth));
    }
}

fn rounds(rounds: &Rounds) -> String {
    match (&rounds.condition, rounds.max) {
        (None, max) => count(max),
        (Some(condition), u64::MAX) => format!("while {condition}"),
        (Some(condition), max) => format!("up to {}, while {condition}", count(max)),
    }
}

fn count(times: u64) -> String {
    if times == 1 { "once".into() } else { format!("{times} times") }
}
