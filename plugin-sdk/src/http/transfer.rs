//! Exchanges as a media player makes them: each kind counts in a row of its own, and one that has no use any more is
//! left.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::{DynamicRequest, Exchange, Reply};
use crate::bindings::{transfer_types as raw, transfers};
use crate::operation::Operation;
use crate::{ConfigError, Failure, Task, executor};

/// A row of the report below that of a step, for one kind of its exchanges: `Watch/segment` of the step `Watch`.
/// Thresholds find it by the tags `step:Watch` and `what:segment`. It is defined in
/// [`Action::configure`](crate::Action::configure) and kept in the action; without requests it is not shown.
///
/// ```
/// use stampede_plugin::http::ReportRow;
/// # use stampede_plugin::ConfigError;
///
/// struct Rows {
///     segment: ReportRow,
///     /// The server answers when there is something new: its time says nothing about its speed.
///     poll: ReportRow,
/// }
///
/// fn define() -> Result<Rows, ConfigError> {
///     Ok(Rows { segment: ReportRow::new("segment")?, poll: ReportRow::by_design("poll")? })
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReportRow(u32);

impl ReportRow {
    /// Defines a row whose times count like those of any step. The name has 1 to 64 letters, digits, `_`, `-`, `.` and
    /// spaces, a letter or digit first and last; a step has 16 rows at most.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, raw::RowTimes::Counted)
    }

    /// Defines a row whose times are part of the protocol and say nothing about the site: they are in no total, and in
    /// a threshold only if it names the row by its tag `what`. Requests, bytes and failures count everywhere.
    pub fn by_design(name: &str) -> Result<Self, ConfigError> {
        Self::define(name, raw::RowTimes::ByDesign)
    }

    fn define(name: &str, times: raw::RowTimes) -> Result<Self, ConfigError> {
        transfers::define_row(name, times).map(Self).map_err(ConfigError::new)
    }
}

impl DynamicRequest {
    /// Submits the request immediately, as [`send`](DynamicRequest::send) does; its samples count in `row`, which must
    /// be one of the task's own step.
    pub fn begin(self, task: &Task, row: ReportRow) -> Transfer<'_> {
        let id = transfers::begin(&self.into_raw(), row.0);
        Transfer { task, exchange: Operation::new(task, id), id, left_in: None }
    }
}

/// An exchange in flight; ready when the last byte of the reply has arrived, or the exchange has failed.
///
/// Dropping it gives it up: it is cut off, and counts as cancelled. To have it count as an exchange that has done its
/// part, [`leave`](Transfer::leave) it, or say so beforehand ([`left_in`](Transfer::left_in)). A player that waits for
/// a segment and for other things races `&mut transfer` with them, so that the transfer goes on when another is first:
///
/// ```
/// # use std::time::Duration;
/// # use stampede_plugin::{Outcome, Task, http::{DynamicRequest, ReportRow}};
/// use stampede_plugin::future::{Either, select};
///
/// async fn load(url: &str, segment: ReportRow, left: ReportRow, task: &Task) -> Outcome {
///     let mut transfer = DynamicRequest::get(url).begin(task, segment);
///     match select(&mut transfer, task.sleep(Duration::from_secs(2))).await {
///         Either::Left((reply, _)) => reply.map(drop),
///         Either::Right(_) => {
///             // After two seconds nothing of it has come: another quality is tried instead.
///             if transfer.progress().is_some_and(|progress| progress.headed.is_none()) {
///                 transfer.leave(left);
///                 return Ok(());
///             }
///             transfer.await.map(drop)
///         }
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use = "await it to get the reply"]
pub struct Transfer<'t> {
    task: &'t Task,
    exchange: Operation<'t>,
    id: u32,
    /// The row in which it counts if it is dropped.
    left_in: Option<ReportRow>,
}

/// The state of a [`Transfer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferProgress {
    /// The time at which the head of the reply was complete, since the run began ([`Task::now`]).
    pub headed: Option<Duration>,
    /// Bytes of content that have arrived, before decoding.
    pub content: u64,
}

impl<'t> Transfer<'t> {
    /// Returns the state at this moment; `None` once it was awaited to its end. It costs one call that passes numbers.
    /// After a redirect that is followed, the state is that of the next exchange.
    pub fn progress(&self) -> Option<TransferProgress> {
        if self.exchange.is_done() {
            return None;
        }
        let raw::TransferProgress { headed, content } = transfers::progress(self.id);
        Some(TransferProgress { headed: headed.map(Duration::from_nanos), content })
    }

    /// Ends the exchange here, as intended: its sample counts in `row`, without a failure, with the time and the bytes
    /// up to this moment. One that is over already stays in its own row.
    pub fn leave(mut self, row: ReportRow) {
        self.left_in = Some(row);
    }

    /// Has it left, in `row`, when it is dropped, instead of being given up: so that the future of a whole session can
    /// be dropped when the user's time ends.
    pub fn left_in(mut self, row: ReportRow) -> Self {
        self.left_in = Some(row);
        self
    }
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        let Some(row) = self.left_in else { return };
        let exchange = std::mem::replace(&mut self.exchange, Operation::done(self.task));
        if !exchange.is_done() && executor::is_polling() {
            transfers::leave(self.id, row.0);
        }
        drop(exchange);
    }
}

impl<'t> Future for Transfer<'t> {
    type Output = Result<TransferReply<'t>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = ready!(Pin::new(&mut self.exchange).poll(context));
        let reply = Exchange::outcome(operation);
        Poll::Ready(reply.map(|reply| TransferReply { reply, operation }))
    }
}

/// The reply to a [`Transfer`]. Its content is decoded by each call of [`Reply::body`], and not before.
#[derive(Debug)]
pub struct TransferReply<'t> {
    reply: Reply<'t>,
    operation: u32,
}

/// The times of an exchange, since the run began ([`Task::now`]): of the last one, if it has followed redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferTimes {
    /// The start, before any connecting and after the wait for a turn.
    pub start: Duration,
    /// The end of the reply's head.
    pub headed: Duration,
    /// The last byte.
    pub end: Duration,
    /// `true` if a connection was opened for it.
    pub fresh: bool,
}

impl TransferReply<'_> {
    /// Returns the times of the exchange.
    pub fn times(&self) -> TransferTimes {
        let raw::TransferTimes { start, headed, end, fresh } = transfers::times(self.operation);
        let [start, headed, end] = [start, headed, end].map(Duration::from_nanos);
        TransferTimes { start, headed, end, fresh }
    }

    /// Returns a number made from the content as it was transferred: other content has another number. So content that
    /// was read before, for any user of the instance, need be neither decoded nor parsed again. 0 if the content was
    /// not kept.
    pub fn fingerprint(&self) -> u64 {
        transfers::fingerprint(self.operation)
    }
}

impl<'t> Deref for TransferReply<'t> {
    type Target = Reply<'t>;

    fn deref(&self) -> &Reply<'t> {
        &self.reply
    }
}
