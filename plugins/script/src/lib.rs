//! Actions for use between the requests of a script: waiting (`sleep`), logging (`log`), setting variables (`set`).
//! This folder's `README.md` lists the parameters, with an example.

mod log;
mod set;
mod sleep;

use stampede_plugin::plugin;

use log::Log;
use set::Set;
use sleep::Sleep;

plugin!(Log, Set, Sleep);

#[cfg(test)]
mod tests;
