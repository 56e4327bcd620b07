//! Combinators that wait for several operations: for all of them, or for the first.
//!
//! An operation is in flight from the moment it is submitted, awaited or not, so sending two requests one after the
//! other is enough to have both in flight. [`join`] and [`try_join`] are for futures that do more, such as an
//! `async fn` with several requests. [`try_join`] ends with the first error:
//!
//! ```
//! # use stampede_plugin::{Failure, Outcome, Task, http::Request};
//! use stampede_plugin::future::try_join;
//!
//! async fn page_and_image(page: Request, image: Request, task: &Task) -> Outcome {
//!     let page = page.send(task).await?;
//!     if page.status != 200 {
//!         return Err(Failure::status(format!("expected status 200, got {}", page.status)));
//!     }
//!     image.send(task).await.map(drop)
//! }
//!
//! async fn run(page: Request, image: Request, task: &Task) -> Outcome {
//!     try_join(page_and_image(page, image, task), page_and_image(page, image, task)).await?;
//!     Ok(())
//! }
//! ```
//!
//! [`select`] waits for the first of two, and returns the other one. Dropping that one gives it up; awaiting it
//! continues the wait. Pass the futures of this crate as they are, and an `async fn` in a `pin!`:
//!
//! ```
//! # use std::time::Duration;
//! # use stampede_plugin::{Outcome, Task, http::Request, log};
//! use stampede_plugin::future::{Either, select};
//!
//! async fn run(report: Request, task: &Task) -> Outcome {
//!     let reply = match select(report.send(task), task.sleep(Duration::from_secs(2))).await {
//!         Either::Left((reply, _)) => reply?,
//!         Either::Right(((), exchange)) => {
//!             log::info("the report takes its time");
//!             exchange.await?
//!         }
//!     };
//! #   let _ = reply.status;
//!     Ok(())
//! }
//! ```
//!
//! For a time limit there is [`Task::timeout`](crate::Task::timeout). These are the functions of the `futures-util`
//! crate; any other combinators work too.

pub use futures_util::future::{Either, join, join3, select, try_join, try_join3};
