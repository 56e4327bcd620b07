//! What may stand in a list of steps, as typed: steps, and blocks of them.

use std::sync::Arc;

use super::spanned::Spanned;
use super::step_spec::{Repetition, StepSpec};
use crate::diagnostic::{SourceText, Span};

/// One thing in a list of steps.
#[derive(Clone, Debug)]
pub enum FlowItem {
    /// A step.
    Step(Box<StepSpec>),
    /// Steps that have something in common.
    Block(Box<BlockSpec>),
}

/// Steps that are timed, chosen, repeated or taken at once.
#[derive(Clone, Debug)]
pub struct BlockSpec {
    /// The text it stands in: the script, or a file that it includes.
    pub source: Arc<SourceText>,
    /// The whole block.
    pub span: Span,
    /// `group`: its name in the report, if it is timed.
    pub group: Option<Spanned<String>>,
    /// Whether and how often.
    pub repetition: Repetition,
    /// What it consists of.
    pub body: BlockBody,
    /// `else`: what is done instead if `when` does not hold.
    pub else_items: Vec<FlowItem>,
}

/// What a block consists of.
#[derive(Clone, Debug)]
pub enum BlockBody {
    /// `steps`, one after the other.
    Steps(Vec<FlowItem>),
    /// `choose`: one of several.
    Choose(Vec<Branch>),
    /// `parallel`: all at once.
    Parallel(Vec<FlowItem>),
    /// `include`: the steps of another file, relative to the script's folder.
    Include(Spanned<String>),
}

/// One of several things to choose from.
#[derive(Clone, Debug)]
pub struct Branch {
    /// `weight`: how likely it is beside the others.
    pub weight: Option<Spanned<f64>>,
    /// `steps`.
    pub items: Vec<FlowItem>,
}

impl FlowItem {
    /// The steps in it, in their order.
    pub fn steps(&self) -> Vec<&StepSpec> {
        match self {
            Self::Step(step) => vec![step],
            Self::Block(block) => block.lists().flat_map(steps).collect(),
        }
    }
}

impl BlockSpec {
    /// The lists of items in it, in their order: what its flow walks, then what it walks instead.
    pub fn lists(&self) -> impl Iterator<Item = &[FlowItem]> {
        let body: Vec<&[FlowItem]> = match &self.body {
            BlockBody::Steps(items) | BlockBody::Parallel(items) => vec![items],
            BlockBody::Choose(branches) => branches.iter().map(|branch| &*branch.items).collect(),
            BlockBody::Include(_) => Vec::new(),
        };
        body.into_iter().chain(std::iter::once(&*self.else_items))
    }
}

/// The steps in a list, in their order.
pub fn steps(items: &[FlowItem]) -> Vec<&StepSpec> {
    items.iter().flat_map(FlowItem::steps).collect()
}
