//! What a script needs between its requests: to wait (`sleep`), to say something (`log`), to remember something (`set`).
//! The parameters are listed, with an example, in this folder's `README.md`.

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
