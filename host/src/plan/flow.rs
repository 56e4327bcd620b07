//! The flow of an iteration: the script's items with their names resolved. Plain steps are a flat list, and walking it
//! allocates nothing. Anything with a condition or a repetition is a block.

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

/// The prefix of a group's metrics in the report, in the place of a plugin's name.
const METRIC_PREFIX: &str = "group";
/// The wait before the first retry, if the script has none.
const DEFAULT_RETRY_WAIT: Nanos = 500_000_000;
/// The longest wait between retries, if the script has none.
const DEFAULT_MAX_WAIT: Nanos = 30_000_000_000;

/// The nodes that an iteration walks, in order.
#[derive(Clone, Debug, Default)]
pub struct Flow(pub Box<[FlowNode]>);

impl Flow {
    /// Returns the first step in the order of the script, by its index; `None` if there is none.
    pub fn first_step(&self) -> Option<usize> {
        self.0.iter().find_map(|node| match node {
            FlowNode::Step(index) => Some(*index),
            FlowNode::Think(_) => None,
            FlowNode::Block(block) => match &block.body {
                BlockFlow::Sequence(flow) => flow.first_step(),
                BlockFlow::Choice(flows) => flows.iter().find_map(|choice| choice.flow.first_step()),
                BlockFlow::Parallel(flows) => flows.iter().find_map(Self::first_step),
            },
        })
    }
}

/// A node of a flow.
#[derive(Clone, Debug)]
pub enum FlowNode {
    /// Run a step, by its index in [`Plan::steps`](super::Plan::steps).
    Step(usize),
    /// Wait.
    Think(ThinkTime),
    /// A block of nodes.
    Block(Box<Block>),
}

/// Nodes that are timed, chosen, repeated or walked in parallel.
#[derive(Clone, Debug)]
pub struct Block {
    /// The metrics of a group. Each round is timed separately, retries included.
    pub group: Option<GroupMetrics>,
    /// The condition for walking it.
    pub when: Option<Arc<Expression>>,
    /// The flow to walk if that does not hold.
    pub else_flow: Flow,
    /// The rounds of the body; `None` is one.
    pub rounds: Option<Rounds>,
    /// The retries of a failed body.
    pub retry: Option<Backoff>,
    /// The body.
    pub body: BlockFlow,
}

/// The body of a block.
#[derive(Clone, Debug)]
pub enum BlockFlow {
    /// Nodes one after the other.
    Sequence(Flow),
    /// One of several flows.
    Choice(Box<[WeightedFlow]>),
    /// All flows at the same time.
    Parallel(Box<[Flow]>),
}

/// A flow that may be chosen.
#[derive(Clone, Debug)]
pub struct WeightedFlow {
    /// The sum of the weights up to this flow, its own included.
    pub weight_sum: f64,
    /// The flow.
    pub flow: Flow,
}

/// The rounds of a block.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// The most rounds.
    pub max: u64,
    /// The condition that must hold before each round.
    pub condition: Option<Arc<Expression>>,
}

/// The metrics of a group, which is measured from the beginning of its first step to the end of its last one, waits
/// included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMetrics {
    /// The trend of its durations.
    pub duration: MetricId,
    /// The rate of rounds in which all steps passed.
    pub passed: MetricId,
}

impl Flow {
    /// Returns the number of steps in it.
    pub fn steps(&self) -> usize {
        let steps = |next: &FlowNode| match next {
            FlowNode::Step(_) => 1,
            FlowNode::Think(_) => 0,
            FlowNode::Block(block) => block.flows().map(Self::steps).sum(),
        };
        self.0.iter().map(steps).sum()
    }

    /// Returns `true` if a user waits anywhere in it.
    pub fn has_think_time(&self) -> bool {
        self.0.iter().any(|node| match node {
            FlowNode::Step(_) => false,
            FlowNode::Think(_) => true,
            FlowNode::Block(block) => block.flows().any(Self::has_think_time),
        })
    }

    /// Returns the most branches that a user runs in parallel in it, at least one.
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

impl BlockFlow {
    /// Calls `each` with the index of every step in it.
    pub(super) fn steps(&self, each: &mut impl FnMut(usize)) {
        let flows: Vec<&Flow> = match self {
            Self::Sequence(flow) => vec![flow],
            Self::Choice(branches) => branches.iter().map(|branch| &branch.flow).collect(),
            Self::Parallel(flows) => flows.iter().collect(),
        };
        for node in flows.into_iter().flat_map(|flow| &*flow.0) {
            match node {
                FlowNode::Step(step) => each(*step),
                FlowNode::Think(_) => {}
                FlowNode::Block(block) => {
                    block.body.steps(each);
                    Self::Sequence(block.else_flow.clone()).steps(each);
                }
            }
        }
    }
}

impl Block {
    /// Returns the flows in it.
    fn flows(&self) -> impl Iterator<Item = &Flow> {
        let body: Vec<&Flow> = match &self.body {
            BlockFlow::Sequence(flow) => vec![flow],
            BlockFlow::Choice(branches) => branches.iter().map(|branch| &branch.flow).collect(),
            BlockFlow::Parallel(flows) => flows.iter().collect(),
        };
        body.into_iter().chain(std::iter::once(&self.else_flow))
    }
}

/// Builds flows, one after the other: numbers steps, adds the metrics of groups, compiles conditions.
pub(crate) struct FlowBuilder<'a> {
    /// The number of the next step.
    pub next_step: usize,
    metrics: &'a mut Vec<MetricInfo>,
    names: &'a SharedNames,
    reply_detail: ReplyDetail,
    /// The errors in conditions.
    pub diagnostics: Diagnostics,
}

impl<'a> FlowBuilder<'a> {
    /// Returns a builder that numbers steps from 0.
    pub(crate) fn new(metrics: &'a mut Vec<MetricInfo>, names: &'a SharedNames) -> Self {
        Self { next_step: 0, metrics, names, reply_detail: ReplyDetail::Nothing, diagnostics: Diagnostics::default() }
    }

    /// Builds the flow of a scenario. Also returns the parts of replies that its conditions read.
    pub(crate) fn scenario_flow(&mut self, of: &ScenarioDraft<'_>) -> (Flow, ReplyDetail) {
        self.reply_detail = ReplyDetail::Nothing;
        let flow = self.flow(of, of.items);
        (flow, self.reply_detail)
    }

    /// Builds the flow of a list of items.
    fn flow(&mut self, of: &ScenarioDraft<'_>, items: &[FlowItem]) -> Flow {
        let mut nodes = Vec::new();
        for item in items {
            match item {
                FlowItem::Step(step) if step.repetition.is_plain() => self.step(of, step, &mut nodes),
                FlowItem::Step(step) => {
                    let mut alone = Vec::new();
                    self.step(of, step, &mut alone);
                    let body = BlockFlow::Sequence(Flow(alone.into()));
                    nodes.push(self.block(&step.source, &step.repetition, body));
                }
                FlowItem::Block(block) => nodes.push(self.typed_block(of, block)),
            }
        }
        Flow(nodes.into())
    }

    fn step(&mut self, of: &ScenarioDraft<'_>, step: &model::StepSpec, nodes: &mut Vec<FlowNode>) {
        nodes.push(FlowNode::Step(self.next_step));
        self.next_step += 1;
        let think = step.think.as_ref().map(|think| think.value).or(of.think);
        nodes.extend(think.map(think_time).map(FlowNode::Think));
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
                    WeightedFlow { weight_sum: sum, flow: self.flow(of, &branch.items) }
                };
                BlockFlow::Choice(branches.iter().map(branch).collect())
            }
            // Includes were resolved before.
            BlockBody::Include(_) => BlockFlow::Sequence(Flow::default()),
        };
        let otherwise = self.flow(of, &typed.else_items);
        match self.block(&typed.source, &typed.repetition, body) {
            FlowNode::Block(block) => FlowNode::Block(Box::new(Block { group, else_flow: otherwise, ..*block })),
            other => other,
        }
    }

    fn block(&mut self, source: &Arc<SourceText>, repetition: &Repetition, body: BlockFlow) -> FlowNode {
        let mut condition =
            |typed: &Option<Spanned<String>>| typed.as_ref().and_then(|typed| self.condition(source, typed));
        let (when, holds) = (condition(&repetition.when), condition(&repetition.while_condition));
        let max = repetition.repeat.as_ref().map(|repeat| repeat.value);
        let rounds = (max.is_some() || repetition.while_condition.is_some())
            .then(|| Rounds { max: max.unwrap_or(u64::MAX), condition: holds });
        let retry = repetition.retry.map(|typed| Backoff {
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
            Err(error) => {
                let span = condition_span(source, typed, error.span);
                let mut diagnostic = Diagnostic::new("script::expression", error.message).at(source, span, "");
                diagnostic.help = error.help;
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn group(&mut self, name: &str) -> GroupMetrics {
        let mut metric = |what: &str, kind, unit| {
            let name = format!("{name}.{what}");
            self.metrics.push(MetricInfo { plugin: METRIC_PREFIX.into(), name, kind, unit, row: None });
            (self.metrics.len() - 1) as MetricId
        };
        let duration = metric("duration", MetricKind::Trend, MetricUnit::Nanoseconds);
        let passed = metric("passed", MetricKind::Rate, MetricUnit::Number);
        GroupMetrics { duration, passed }
    }
}

/// Returns the place in the script of a part of a condition.
fn condition_span(source: &SourceText, typed: &Spanned<String>, part: Span) -> Span {
    let node = Node { value: NodeValue::String(typed.value.clone()), span: typed.span };
    span_within(source, &node, part.start..part.end)
}

/// Converts a think time to nanoseconds.
fn think_time(typed: model::ThinkSpec) -> ThinkTime {
    match typed {
        model::ThinkSpec::Fixed(wait) => ThinkTime::Fixed(nanos(wait)),
        model::ThinkSpec::Uniform { min, max } => ThinkTime::Uniform { min: nanos(min), max: nanos(max) },
        model::ThinkSpec::Normal { mean, std_dev } => ThinkTime::Normal { mean: nanos(mean), std_dev: nanos(std_dev) },
    }
}
