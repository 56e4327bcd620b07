//! What one iteration walks: the script's items with their names resolved. Steps that stand plainly one after the other
//! are a flat list, and walking it allocates nothing; what has a condition or is repeated is a block beside it.

use std::sync::Arc;

use stampede_time::{Nanos, nanos};

use super::scenarios::ScenarioDraft;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span};
use crate::expression::{Expression, ReplyDetail};
use crate::metrics::aggregate::label;
use crate::metrics::custom_metric::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::pace::{Backoff, ThinkTime};
use crate::plugin::instance::worker_plugin::SharedNames;
use crate::script::model::{self, BlockBody, FlowItem, Node, NodeValue, Repetition, Spanned};
use crate::script::span_within;

/// What stands before a group's name in the report, where metrics of plugins have the plugin's.
const METRIC_PREFIX: &str = "group";
/// The wait before something is first done again that failed, if the script does not say.
const DEFAULT_RETRY_WAIT: Nanos = 500_000_000;
/// The longest wait, if the script does not say.
const DEFAULT_MAX_WAIT: Nanos = 30_000_000_000;

/// The moves of one iteration, in their order.
#[derive(Clone, Debug, Default)]
pub struct Flow(pub Box<[FlowNode]>);

/// One move.
#[derive(Clone, Debug)]
pub enum FlowNode {
    /// Run a step, by its index in [`Plan::steps`](super::Plan::steps).
    Step(usize),
    /// Wait.
    Think(ThinkTime),
    /// Something with more to it.
    Block(Box<Block>),
}

/// Moves that are timed, chosen, repeated or made at once.
#[derive(Clone, Debug)]
pub struct Block {
    /// How it is timed, if it is a group: each round by itself, with what is tried again.
    pub group: Option<GroupMetrics>,
    /// What must hold.
    pub when: Option<Arc<Expression>>,
    /// What is walked if that does not hold.
    pub else_flow: Flow,
    /// How often it is walked, if not once.
    pub rounds: Option<Rounds>,
    /// How it is tried again if it failed.
    pub retry: Option<Backoff>,
    /// What it consists of.
    pub body: BlockFlow,
}

/// What a block consists of.
#[derive(Clone, Debug)]
pub enum BlockFlow {
    /// One after the other.
    Sequence(Flow),
    /// One of several, with the sum of the weights up to each.
    Choice(Box<[(f64, Flow)]>),
    /// All at once.
    Parallel(Box<[Flow]>),
}

/// How often something is walked.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// At most.
    pub max: u64,
    /// While this holds.
    pub condition: Option<Arc<Expression>>,
}

/// How a group is measured: from the beginning of its first step to the end of its last, whatever lies between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMetrics {
    /// How long it takes: a trend.
    pub duration: MetricId,
    /// Whether all its steps pass: a rate.
    pub passed: MetricId,
}

impl Flow {
    /// How many steps there are in it.
    pub fn steps(&self) -> usize {
        let steps = |next: &FlowNode| match next {
            FlowNode::Step(_) => 1,
            FlowNode::Think(_) => 0,
            FlowNode::Block(block) => block.flows().map(Self::steps).sum(),
        };
        self.0.iter().map(steps).sum()
    }

    /// How many things a user does at once in it, at most.
    pub fn lanes(&self) -> usize {
        let lanes = |next: &FlowNode| match next {
            FlowNode::Step(_) | FlowNode::Think(_) => 1,
            FlowNode::Block(block) => {
                let own_lanes = if let BlockFlow::Parallel(flows) = &block.body { flows.len() } else { 1 };
                block.flows().map(Self::lanes).fold(own_lanes, usize::max)
            }
        };
        self.0.iter().map(lanes).fold(1, usize::max)
    }
}

impl Block {
    /// Everything that may be walked in it.
    fn flows(&self) -> impl Iterator<Item = &Flow> {
        let body: Vec<&Flow> = match &self.body {
            BlockFlow::Sequence(flow) => vec![flow],
            BlockFlow::Choice(branches) => branches.iter().map(|(_, flow)| flow).collect(),
            BlockFlow::Parallel(flows) => flows.iter().collect(),
        };
        body.into_iter().chain(std::iter::once(&self.else_flow))
    }
}

/// Flows in the making, one after the other: steps are numbered, groups get their metrics, conditions are compiled.
pub struct FlowBuilder<'a> {
    /// The number of the next step.
    pub next_step: usize,
    metrics: &'a mut Vec<MetricInfo>,
    names: &'a SharedNames,
    reply_detail: ReplyDetail,
    /// What is wrong with conditions.
    pub diagnostics: Diagnostics,
}

impl<'a> FlowBuilder<'a> {
    /// No flow yet, so that steps are numbered from 0.
    pub fn new(metrics: &'a mut Vec<MetricInfo>, names: &'a SharedNames) -> Self {
        Self { next_step: 0, metrics, names, reply_detail: ReplyDetail::Nothing, diagnostics: Diagnostics::default() }
    }

    /// The flow of a scenario, and what its conditions ask of replies.
    pub fn scenario_flow(&mut self, of: &ScenarioDraft<'_>) -> (Flow, ReplyDetail) {
        self.reply_detail = ReplyDetail::Nothing;
        let flow = self.flow(of, of.items);
        (flow, self.reply_detail)
    }

    /// The flow of a list of items.
    fn flow(&mut self, of: &ScenarioDraft<'_>, items: &[FlowItem]) -> Flow {
        let mut moves = Vec::new();
        for item in items {
            match item {
                FlowItem::Step(step) if step.repetition.is_plain() => self.step(of, step, &mut moves),
                FlowItem::Step(step) => {
                    let mut alone = Vec::new();
                    self.step(of, step, &mut alone);
                    let body = BlockFlow::Sequence(Flow(alone.into()));
                    moves.push(self.block(&step.source, &step.repetition, body));
                }
                FlowItem::Block(block) => moves.push(self.typed_block(of, block)),
            }
        }
        Flow(moves.into())
    }

    fn step(&mut self, of: &ScenarioDraft<'_>, step: &model::StepSpec, moves: &mut Vec<FlowNode>) {
        moves.push(FlowNode::Step(self.next_step));
        self.next_step += 1;
        let think = step.think.as_ref().map(|think| think.value).or(of.think);
        moves.extend(think.map(think_time).map(FlowNode::Think));
    }

    fn typed_block(&mut self, of: &ScenarioDraft<'_>, typed: &model::BlockSpec) -> FlowNode {
        let group = typed.group.as_ref().map(|name| self.group(&label(of.name, &name.value)));
        let body = match &typed.body {
            BlockBody::Steps(items) => BlockFlow::Sequence(self.flow(of, items)),
            BlockBody::Parallel(items) => {
                BlockFlow::Parallel(items.iter().map(|item| self.flow(of, std::slice::from_ref(item))).collect())
            }
            BlockBody::Choose(branches) => {
                let mut sum = 0.0;
                let branch = |branch: &model::Branch| {
                    sum += branch.weight.as_ref().map_or(1.0, |weight| weight.value);
                    (sum, self.flow(of, &branch.items))
                };
                BlockFlow::Choice(branches.iter().map(branch).collect())
            }
            // Every file has been put in its place.
            BlockBody::Include(_) => BlockFlow::Sequence(Flow::default()),
        };
        let otherwise = self.flow(of, &typed.else_items);
        match self.block(&typed.source, &typed.repetition, body) {
            FlowNode::Block(block) => FlowNode::Block(Box::new(Block { group, else_flow: otherwise, ..*block })),
            other => other,
        }
    }

    fn block(&mut self, source: &Arc<SourceText>, control: &Repetition, body: BlockFlow) -> FlowNode {
        let mut condition =
            |typed: &Option<Spanned<String>>| typed.as_ref().and_then(|typed| self.condition(source, typed));
        let (when, holds) = (condition(&control.when), condition(&control.while_condition));
        let most = control.repeat.as_ref().map(|most| most.value);
        let rounds = (most.is_some() || control.while_condition.is_some())
            .then(|| Rounds { max: most.unwrap_or(u64::MAX), condition: holds });
        let retry = control.retry.map(|typed| Backoff {
            max_retries: typed.times,
            first_wait: typed.wait.map_or(DEFAULT_RETRY_WAIT, nanos),
            max_wait: typed.max_wait.map_or(DEFAULT_MAX_WAIT, nanos),
        });
        FlowNode::Block(Box::new(Block { group: None, when, else_flow: Flow::default(), rounds, retry, body }))
    }

    fn condition(&mut self, source: &Arc<SourceText>, typed: &Spanned<String>) -> Option<Arc<Expression>> {
        match Expression::compile(&typed.value, &mut self.names.variables.borrow_mut()) {
            Ok(expression) => {
                self.reply_detail = self.reply_detail.max(expression.reply_detail());
                Some(Arc::new(expression))
            }
            Err(wrong) => {
                let span = condition_span(source, typed, wrong.span);
                let mut diagnostic = Diagnostic::new("script::expression", wrong.message).at(source, span, "");
                diagnostic.help = wrong.help;
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn group(&mut self, name: &str) -> GroupMetrics {
        let mut metric = |what: &str, kind, unit| {
            self.metrics.push(MetricInfo { plugin: METRIC_PREFIX.into(), name: format!("{name}.{what}"), kind, unit });
            (self.metrics.len() - 1) as MetricId
        };
        let duration = metric("duration", MetricKind::Trend, MetricUnit::Nanoseconds);
        let passed = metric("passed", MetricKind::Rate, MetricUnit::Number);
        GroupMetrics { duration, passed }
    }
}

/// Where a part of a condition stands in its text.
fn condition_span(source: &SourceText, typed: &Spanned<String>, part: Span) -> Span {
    let node = Node { value: NodeValue::String(typed.value.clone()), span: typed.span };
    span_within(source, &node, part.start..part.end)
}

/// A wait in the clock's unit.
fn think_time(typed: model::ThinkSpec) -> ThinkTime {
    match typed {
        model::ThinkSpec::Fixed(wait) => ThinkTime::Fixed(nanos(wait)),
        model::ThinkSpec::Uniform { min, max } => ThinkTime::Uniform { min: nanos(min), max: nanos(max) },
        model::ThinkSpec::Normal { mean, std_dev } => {
            ThinkTime::Normal { mean: nanos(mean), std_dev: nanos(std_dev) }
        },
    }
}
