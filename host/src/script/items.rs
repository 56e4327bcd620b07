//! What may stand in a list of steps, as typed: steps, and blocks of them.

use std::sync::Arc;
use std::time::Duration;

use super::model::{Spanned, Step};
use crate::diagnostic::{Source, Span};

/// One thing in a list of steps.
#[derive(Clone, Debug)]
pub enum Item {
    /// A step.
    Step(Box<Step>),
    /// Steps that have something in common.
    Block(Box<Block>),
}

/// Steps that are timed, chosen, repeated or taken at once.
#[derive(Clone, Debug)]
pub struct Block {
    /// The text it stands in: the script, or a file that it includes.
    pub source: Arc<Source>,
    /// The whole block.
    pub span: Span,
    /// `group`: its name in the report, if it is timed.
    pub group: Option<Spanned<String>>,
    /// Whether and how often.
    pub control: Control,
    /// What it consists of.
    pub body: Body,
    /// `else`: what is done instead if `when` does not hold.
    pub otherwise: Vec<Item>,
}

/// What a block consists of.
#[derive(Clone, Debug)]
pub enum Body {
    /// `steps`, one after the other.
    Steps(Vec<Item>),
    /// `choose`: one of several.
    Choose(Vec<Branch>),
    /// `parallel`: all at once.
    Parallel(Vec<Item>),
    /// `include`: the steps of another file, relative to the script's folder.
    Include(Spanned<String>),
}

/// One of several things to choose from.
#[derive(Clone, Debug)]
pub struct Branch {
    /// `weight`: how likely it is beside the others.
    pub weight: Option<Spanned<f64>>,
    /// `steps`.
    pub items: Vec<Item>,
}

/// Whether something is done, and how often.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// `when`: an expression that must hold.
    pub when: Option<Spanned<String>>,
    /// `while`: an expression that must hold each time.
    pub holds: Option<Spanned<String>>,
    /// `repeat`: how often, at most if there is a `while`.
    pub repeat: Option<Spanned<u64>>,
    /// `retry`: again if it failed.
    pub retry: Option<Retry>,
}

/// How often and after which waits something is done again that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// `times`: how often again, at most.
    pub times: u32,
    /// `wait` before the first time; it doubles from time to time.
    pub wait: Option<Duration>,
    /// `max_wait`.
    pub max_wait: Option<Duration>,
}

impl Item {
    /// The steps in it, in their order.
    pub fn steps(&self) -> Vec<&Step> {
        match self {
            Self::Step(step) => vec![step],
            Self::Block(block) => block.lists().flat_map(steps).collect(),
        }
    }
}

impl Block {
    /// The lists of items in it, in their order: what its flow walks, then what it walks instead.
    pub fn lists(&self) -> impl Iterator<Item = &[Item]> {
        let body: Vec<&[Item]> = match &self.body {
            Body::Steps(items) | Body::Parallel(items) => vec![items],
            Body::Choose(branches) => branches.iter().map(|branch| &*branch.items).collect(),
            Body::Include(_) => Vec::new(),
        };
        body.into_iter().chain(std::iter::once(&*self.otherwise))
    }
}

/// The steps in a list, in their order.
pub fn steps(items: &[Item]) -> Vec<&Step> {
    items.iter().flat_map(Item::steps).collect()
}
