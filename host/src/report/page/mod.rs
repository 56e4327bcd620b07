//! The page that shows a run, live and as a saved report: the events of its log, and the file with the log inside.
//!
//! A log is one [`HelloEvent`], then [`TickEvent`]s in order, then one end, each a line of JSON. A page of a report
//! alone also has an event with the histograms of its rows and, if two reports were compared, one with the other run.
//! The page that reads it is in `host/page/`; its `src/log.ts` has the same fields as the types here.

mod end;
mod file;
mod hello;
mod tick;
mod whole_run;

pub(crate) use end::end_event;
pub(crate) use file::{NO_PAGE, is_page, policy, template, write_log};
pub(crate) use hello::{HelloEvent, LADDER, MAX_ROWS, RowName};
pub(crate) use tick::{ExampleText, RowTick, RunMark, SharedTimes, ShownThreshold, TickEvent};
pub(super) use whole_run::write;
pub(crate) use whole_run::{ComparedBase, write_comparison};
