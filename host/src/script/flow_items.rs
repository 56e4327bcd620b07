//! The items of a list of steps as typed: steps, and blocks of them.

use std::sync::Arc;

use super::spanned::Spanned;
use super::step_spec::{Repetition, StepSpec};
use crate::diagnostic::{SourceText, Span};

/// One item of a list of steps.
#[derive(Clone, Debug)]
pub enum FlowItem {
    /// A step.
    Step(Box<StepSpec>),
    /// Steps that are timed, chosen, repeated or run in parallel together.
    Block(Box<BlockSpec>),
}

/// A block of steps.
#[derive(Clone, Debug)]
pub struct BlockSpec {
    /// The text that it is in: the script, or an included file.
    pub source: Arc<SourceText>,
    /// The whole block.
    pub span: Span,
    /// `group`: its name in the report, if it is timed.
    pub group: Option<Spanned<String>>,
    /// Its condition and how often it runs.
    pub repetition: Repetition,
    /// The steps in it.
    pub body: BlockBody,
    /// `else`: the items that run instead if `when` does not hold.
    pub else_items: Vec<FlowItem>,
}

/// The body of a block.
#[derive(Clone, Debug)]
pub enum BlockBody {
    /// `steps`, one after the other.
    Steps(Vec<FlowItem>),
    /// `choose`: one of several branches.
    Choose(Vec<Branch>),
    /// `parallel`: all items at the same time.
    Parallel(Vec<FlowItem>),
    /// `include`: the steps of another file, relative to the script's folder.
    Include(Spanned<String>),
}

/// A branch of `choose`.
#[derive(Clone, Debug)]
pub struct Branch {
    /// `weight`: how likely it is, relative to the other branches.
    pub weight: Option<Spanned<f64>>,
    /// `steps`.
    pub items: Vec<FlowItem>,
}

impl FlowItem {
    /// Returns the steps in it, in order.
    pub fn steps(&self) -> Vec<&StepSpec> {
        match self {
            Self::Step(step) => vec![step],
            Self::Block(block) => block.lists().flat_map(steps).collect(),
        }
    }
}

impl BlockSpec {
    /// Returns the lists of items in it, in order: those of its body, then `else`.
    pub fn lists(&self) -> impl Iterator<Item = &[FlowItem]> {
        let body: Vec<&[FlowItem]> = match &self.body {
            BlockBody::Steps(items) | BlockBody::Parallel(items) => vec![items],
            BlockBody::Choose(branches) => branches.iter().map(|branch| &*branch.items).collect(),
            BlockBody::Include(_) => Vec::new(),
        };
        body.into_iter().chain(std::iter::once(&*self.else_items))
    }
}

/// Returns the steps in a list, in order.
pub fn steps(items: &[FlowItem]) -> Vec<&StepSpec> {
    items.iter().flat_map(FlowItem::steps).collect()
}
