//! The flag that makes a process one of several that carry out a run together.

use clap::Args;

use crate::segment::Segment;

/// The part of the run that a process carries out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct DivisionArgs {
    /// Carry out one of N parts of the run, such as 2/3
    ///
    /// From 1/1 to 1000/1000. Each of N machines runs the same script with the same flags and a number of its own, and
    /// has its part of the users, with their iterations and their rows of data. Together they are the run once, not N
    /// times. They need one --seed. `stampede-shooter merge` joins their reports. The whole run if not given.
    #[arg(
        long,
        value_name = "I/N",
        env = "STAMPEDE_SEGMENT",
        help_heading = "Load",
        value_parser = str::parse::<Segment>
    )]
    pub segment: Option<Segment>,
}
