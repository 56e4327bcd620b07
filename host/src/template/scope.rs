//! The scope that a template is compiled in, and the context that it is rendered in.

use std::fmt;
use std::time::Duration;

use super::environment::Environment;
use super::row_cursors::RowCursors;
use super::variables::{VariableNames, Variables};
use crate::data::{DataSets, RowBuffer};
use crate::random::UserRandom;
use crate::segment::Segment;

/// The things that names in a template may refer to.
#[derive(Debug)]
pub struct CompileScope<'a> {
    /// The data sets that `pick` and `next` draw from.
    pub data: &'a DataSets,
    /// The variables that `var` reads; a new name is added.
    pub variables: &'a mut VariableNames,
    /// The environment that `env` reads.
    pub environment: &'a Environment,
}

/// The user and the moment that a text is rendered for.
#[derive(Debug)]
pub struct RenderContext<'a> {
    /// The user's number, from 0.
    pub user: u32,
    /// The number of users of the run, at least 1: the step of `next`.
    pub users: u32,
    /// The part of the run that this process carries out, which rows that are given once are divided by.
    pub segment: Segment,
    /// The number of iterations before this one; 0 during the login too.
    pub iteration: u64,
    /// Time since the Unix epoch.
    pub wall_clock: Duration,
    /// The user's random stream.
    pub random: &'a mut UserRandom,
    /// The user's variables, numbered by the names of the scope.
    pub variables: &'a Variables,
    /// The user's places in the data sets.
    pub rows: &'a mut RowCursors,
    /// The data sets of the scope.
    pub data: &'a DataSets,
    /// Buffers for nested helpers and rows. Their content means nothing before or after a rendering; keep one per
    /// worker, so that rendering allocates nothing.
    pub scratch: &'a mut RenderScratch,
}

/// Buffers that rendering uses.
#[derive(Default)]
pub struct RenderScratch {
    /// The text that nested helpers pass on.
    pub text: String,
    /// The row that was last read from a file.
    pub row: RowBuffer,
}

/// Shows no content: rows may hold passwords.
impl fmt::Debug for RenderScratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderScratch").finish_non_exhaustive()
    }
}
