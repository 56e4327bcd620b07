//! What one iteration walks: the script's items with their names resolved. Steps that stand plainly one after the other
//! are a flat list, and walking it allocates nothing; what has a condition or is repeated is a block beside it.

use std::sync::Arc;

use stampede_time::{Nanos, nanos};

use super::scenarios::Draft;
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use crate::expression::{Expression, Remembers};
use crate::metrics::aggregate::label;
use crate::metrics::custom::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::pace::{Retry, Think};
use crate::plugin::instance::worker_plugin::Names;
use crate::script::model::{self, Body, Control, Item, Node, Spanned, Value};
use crate::script::span_within;

/// What stands before a group's name in the report, where metrics of plugins have the plugin's.
const PREFIX: &str = "group";
/// The wait before something is first done again that failed, if the script does not say.
const RETRY_WAIT: Nanos = 500_000_000;
/// The longest wait, if the script does not say.
const RETRY_MOST: Nanos = 30_000_000_000;

/// The moves of one iteration, in their order.
#[derive(Clone, Debug, Default)]
pub struct Flow(pub Box<[Move]>);

/// One move.
#[derive(Clone, Debug)]
pub enum Move {
    /// Run a step, by its index in [`Plan::steps`](super::Plan::steps).
    Step(usize),
    /// Wait.
    Think(Think),
    /// Something with more to it.
    Block(Box<Block>),
}

/// Moves that are timed, chosen, repeated or made at once.
#[derive(Clone, Debug)]
pub struct Block {
    /// How it is timed, if it is a group: each round by itself, with what is tried again.
    pub group: Option<Group>,
    /// What must hold.
    pub when: Option<Arc<Expression>>,
    /// What is walked if that does not hold.
    pub otherwise: Flow,
    /// How often it is walked, if not once.
    pub rounds: Option<Rounds>,
    /// How it is tried again if it failed.
    pub retry: Option<Retry>,
    /// What it consists of.
    pub body: Moves,
}

/// What a block consists of.
#[derive(Clone, Debug)]
pub enum Moves {
    /// One after the other.
    InTurn(Flow),
    /// One of several, with the sum of the weights up to each.
    OneOf(Box<[(f64, Flow)]>),
    /// All at once.
    AtOnce(Box<[Flow]>),
}

/// How often something is walked.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// At most.
    pub most: u64,
    /// While this holds.
    pub holds: Option<Arc<Expression>>,
}

/// How a group is measured: from the beginning of its first step to the end of its last, whatever lies between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// How long it takes: a trend.
    pub duration: MetricId,
    /// Whether all its steps pass: a rate.
    pub passed: MetricId,
}

impl Flow {
    /// How many steps there are in it.
    pub fn steps(&self) -> usize {
        let steps = |next: &Move| match next {
            Move::Step(_) => 1,
            Move::Think(_) => 0,
            Move::Block(block) => block.flows().map(Self::steps).sum(),
        };
        self.0.iter().map(steps).sum()
    }

    /// How many things a user does at once in it, at most.
    pub fn lanes(&self) -> usize {
        let lanes = |next: &Move| match next {
            Move::Step(_) | Move::Think(_) => 1,
            Move::Block(block) => {
                let own = if let Moves::AtOnce(flows) = &block.body { flows.len() } else { 1 };
                block.flows().map(Self::lanes).fold(own, usize::max)
            }
        };
        self.0.iter().map(lanes).fold(1, usize::max)
    }
}

impl Block {
    /// Everything that may be walked in it.
    fn flows(&self) -> impl Iterator<Item = &Flow> {
        let body: Vec<&Flow> = match &self.body {
            Moves::InTurn(flow) => vec![flow],
            Moves::OneOf(branches) => branches.iter().map(|(_, flow)| flow).collect(),
            Moves::AtOnce(flows) => flows.iter().collect(),
        };
        body.into_iter().chain(std::iter::once(&self.otherwise))
    }
}

/// Flows in the making, one after the other: steps are numbered, groups get their metrics, conditions are compiled.
pub struct Flows<'a> {
    /// The number of the next step.
    pub next: usize,
    metrics: &'a mut Vec<MetricInfo>,
    names: &'a Names,
    remembers: Remembers,
    /// What is wrong with conditions.
    pub found: Diagnostics,
}

impl<'a> Flows<'a> {
    /// No flow yet, so that steps are numbered from 0.
    pub fn new(metrics: &'a mut Vec<MetricInfo>, names: &'a Names) -> Self {
        Self { next: 0, metrics, names, remembers: Remembers::Nothing, found: Diagnostics::default() }
    }

    /// The flow of a scenario, and what its conditions ask of replies.
    pub fn whole(&mut self, of: &Draft<'_>) -> (Flow, Remembers) {
        self.remembers = Remembers::Nothing;
        let flow = self.flow(of, of.items);
        (flow, self.remembers)
    }

    /// The flow of a list of items.
    fn flow(&mut self, of: &Draft<'_>, items: &[Item]) -> Flow {
        let mut moves = Vec::new();
        for item in items {
            match item {
                Item::Step(step) if step.control.is_plain() => self.step(of, step, &mut moves),
                Item::Step(step) => {
                    let mut alone = Vec::new();
                    self.step(of, step, &mut alone);
                    let body = Moves::InTurn(Flow(alone.into()));
                    moves.push(self.block(&step.source, &step.control, body));
                }
                Item::Block(block) => moves.push(self.typed_block(of, block)),
            }
        }
        Flow(moves.into())
    }

    fn step(&mut self, of: &Draft<'_>, step: &model::Step, moves: &mut Vec<Move>) {
        moves.push(Move::Step(self.next));
        self.next += 1;
        let think = step.think.as_ref().map(|think| think.value).or(of.think);
        moves.extend(think.map(think_of).map(Move::Think));
    }

    fn typed_block(&mut self, of: &Draft<'_>, typed: &model::Block) -> Move {
        let group = typed.group.as_ref().map(|name| self.group(&label(of.name, &name.value)));
        let body = match &typed.body {
            Body::Steps(items) => Moves::InTurn(self.flow(of, items)),
            Body::Parallel(items) => {
                Moves::AtOnce(items.iter().map(|item| self.flow(of, std::slice::from_ref(item))).collect())
            }
            Body::Choose(branches) => {
                let mut sum = 0.0;
                let branch = |branch: &model::Branch| {
                    sum += branch.weight.as_ref().map_or(1.0, |weight| weight.value);
                    (sum, self.flow(of, &branch.items))
                };
                Moves::OneOf(branches.iter().map(branch).collect())
            }
            // Every file has been put in its place.
            Body::Include(_) => Moves::InTurn(Flow::default()),
        };
        let otherwise = self.flow(of, &typed.otherwise);
        match self.block(&typed.source, &typed.control, body) {
            Move::Block(block) => Move::Block(Box::new(Block { group, otherwise, ..*block })),
            other => other,
        }
    }

    fn block(&mut self, source: &Arc<Source>, control: &Control, body: Moves) -> Move {
        let mut condition =
            |typed: &Option<Spanned<String>>| typed.as_ref().and_then(|typed| self.condition(source, typed));
        let (when, holds) = (condition(&control.when), condition(&control.holds));
        let most = control.repeat.as_ref().map(|most| most.value);
        let rounds =
            (most.is_some() || control.holds.is_some()).then(|| Rounds { most: most.unwrap_or(u64::MAX), holds });
        let retry = control.retry.map(|typed| Retry {
            times: typed.times,
            wait: typed.wait.map_or(RETRY_WAIT, nanos),
            most: typed.max_wait.map_or(RETRY_MOST, nanos),
        });
        Move::Block(Box::new(Block { group: None, when, otherwise: Flow::default(), rounds, retry, body }))
    }

    fn condition(&mut self, source: &Arc<Source>, typed: &Spanned<String>) -> Option<Arc<Expression>> {
        match Expression::compile(&typed.value, &mut self.names.variables.borrow_mut()) {
            Ok(expression) => {
                self.remembers = self.remembers.max(expression.remembers());
                Some(Arc::new(expression))
            }
            Err(wrong) => {
                let span = within(source, typed, wrong.span);
                let mut mistake = Diagnostic::new("script::expression", wrong.message).at(source, span, "");
                mistake.help = wrong.help;
                self.found.push(mistake);
                None
            }
        }
    }

    fn group(&mut self, name: &str) -> Group {
        let mut metric = |what: &str, kind, unit| {
            self.metrics.push(MetricInfo { plugin: PREFIX.into(), name: format!("{name}.{what}"), kind, unit });
            (self.metrics.len() - 1) as MetricId
        };
        let duration = metric("duration", MetricKind::Trend, MetricUnit::Nanoseconds);
        let passed = metric("passed", MetricKind::Rate, MetricUnit::Number);
        Group { duration, passed }
    }
}

/// Where a part of a condition stands in its text.
fn within(source: &Source, typed: &Spanned<String>, part: Span) -> Span {
    let node = Node { value: Value::String(typed.value.clone()), span: typed.span };
    span_within(source, &node, part.start..part.end)
}

/// A wait in the clock's unit.
fn think_of(typed: model::Think) -> Think {
    match typed {
        model::Think::Fixed(wait) => Think::Fixed(nanos(wait)),
        model::Think::Uniform(from, to) => Think::Uniform(nanos(from), nanos(to)),
        model::Think::Normal(mean, deviation) => Think::Normal(nanos(mean), nanos(deviation)),
    }
}
