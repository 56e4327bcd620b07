//! What one iteration walks: the script's tree of steps as a flat list of moves, so that a user's place in it is a number
//! and nothing is allocated on the way.

use crate::metrics::aggregate::label;
use crate::metrics::custom::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::pace::Think;
use crate::run::clock::nanos;
use crate::script::model::{self, Item};

use super::scenarios::Draft;

/// What stands before a group's name in the report, where metrics of plugins have the plugin's.
const PREFIX: &str = "group";

/// The moves of one iteration, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow(pub Vec<Move>);

impl Flow {
    /// How many steps there are in it.
    pub fn steps(&self) -> usize {
        self.0.iter().filter(|next| matches!(next, Move::Step(_))).count()
    }
}

/// One move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// Run a step, by its index in [`Plan::steps`](super::Plan::steps).
    Step(usize),
    /// Wait.
    Think(Think),
    /// A group begins.
    Begin(Group),
    /// The group that began last has ended.
    End,
}

/// How a group is measured: from the beginning of its first step to the end of its last, whatever lies between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// How long it takes: a trend.
    pub duration: MetricId,
    /// Whether all its steps pass: a rate.
    pub passed: MetricId,
}

/// Flows in the making, one after the other: steps are numbered, and groups get their metrics.
pub struct Flows<'a> {
    /// The number of the next step.
    pub next: usize,
    /// The metrics of the run.
    pub metrics: &'a mut Vec<MetricInfo>,
}

impl Flows<'_> {
    /// The flow of a list of items.
    pub fn flow(&mut self, of: &Draft<'_>, items: &[Item]) -> Flow {
        let mut moves = Vec::new();
        self.add(of, items, &mut moves);
        Flow(moves)
    }

    fn add(&mut self, of: &Draft<'_>, items: &[Item], moves: &mut Vec<Move>) {
        for item in items {
            match item {
                Item::Step(step) => {
                    moves.push(Move::Step(self.next));
                    self.next += 1;
                    let think = step.think.as_ref().map(|think| think.value).or(of.think);
                    moves.extend(think.map(think_of).map(Move::Think));
                }
                Item::Group(group) => {
                    let name = label(of.name, &group.name.value);
                    moves.push(Move::Begin(self.group(&name)));
                    self.add(of, &group.items, moves);
                    moves.push(Move::End);
                }
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

/// A wait in the clock's unit.
fn think_of(typed: model::Think) -> Think {
    match typed {
        model::Think::Fixed(wait) => Think::Fixed(nanos(wait)),
        model::Think::Uniform(from, to) => Think::Uniform(nanos(from), nanos(to)),
        model::Think::Normal(mean, deviation) => Think::Normal(nanos(mean), nanos(deviation)),
    }
}
