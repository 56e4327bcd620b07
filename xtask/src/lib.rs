//! The parts that the project's commands share: steps with a name and a duration, the places in the workspace, and the
//! programs that a command needs.

pub mod languages;
pub mod program;
pub mod step;
pub mod workspace;
