//! What a template is compiled against, and what it is rendered with.

use std::fmt;
use std::time::Duration;

use super::environment::Environment;
use super::row_cursors::RowCursors;
use super::variables::{VariableNames, Variables};
use crate::data::{DataSets, RowBuffer};
use crate::random::UserRandom;

/// What names in a template may refer to.
#[derive(Debug)]
pub struct CompileScope<'a> {
    /// What `pick` and `next` draw from.
    pub data: &'a DataSets,
    /// What `var` reads; a name met for the first time is added.
    pub variables: &'a mut VariableNames,
    /// What `env` reads.
    pub environment: &'a Environment,
}

/// What one rendering may use: who the user is, and what belongs to that user.
#[derive(Debug)]
pub struct RenderContext<'a> {
    /// The user's number, from 0.
    pub user: u32,
    /// How many users the run has, at least 1: the step of `next`.
    pub users: u32,
    /// How many times the user has walked the script so far; 0 during the login too.
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
    /// Room for what nested helpers pass on. What it holds is of no meaning before or after; keep one per worker, so
    /// that rendering allocates nothing.
    pub scratch: &'a mut RenderScratch,
}

/// Room that rendering needs for a moment.
#[derive(Default)]
pub struct RenderScratch {
    /// What nested helpers pass on.
    pub text: String,
    /// The row that was last read from a file.
    pub row: RowBuffer,
}

/// Not what it holds: rows may hold passwords.
impl fmt::Debug for RenderScratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}
