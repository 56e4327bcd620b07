//! Adapter for components built for contract 0.1.0 or 0.1.1. Their guests may fetch the result of an operation on a
//! socket again, and may fetch it after `cancel`. Since 0.1.2 a result is handed over once and dropped by `cancel`, so
//! that a task does not hold it to its end.

use crate::user::{Completion, OperationId, ReceivedBytes, Task};

/// Returns `true` if version 0.1.`minor` of the contract needs this adapter.
pub(crate) const fn applies_to(minor: u32) -> bool {
    minor < 2
}

/// Returns the result of an operation on a socket and keeps it. Bytes that were read are handed over once: a second
/// call returns none.
pub(crate) fn take_repeatable(task: &Task, id: OperationId) -> Option<Completion> {
    let repeat = |completion: &mut Completion| match completion {
        Completion::Connected(result) => Some(Completion::Connected(result.clone())),
        Completion::Written(result) => Some(Completion::Written(result.clone())),
        Completion::Read(Err(failure)) => Some(Completion::Read(Err(failure.clone()))),
        Completion::Read(read @ Ok(_)) => {
            let none = ReceivedBytes::new(Vec::new(), &task.allowance);
            Some(Completion::Read(std::mem::replace(read, none)))
        }
        _ => None,
    };
    task.operations.with_completion_mut(id, repeat).flatten()
}

#[cfg(test)]
mod tests {
    use std::future::{poll_fn, ready};

    use super::*;
    use crate::user::plugin_fault;
    use crate::user::{OperationKind, TaskStart};

    /// A task with one operation that has ended so.
    async fn task_with(completion: Completion) -> Task {
        let task = Task::default();
        task.begin(TaskStart::default());
        task.operations.submit(OperationKind::Socket, |_| ready(completion));
        poll_fn(|cx| task.operations.poll_completion(cx)).await;
        task
    }

    #[test]
    fn the_first_two_versions_need_the_adapter() {
        assert_eq!([0, 1, 2, 3].map(applies_to), [true, true, false, false]);
    }

    #[tokio::test]
    async fn results_can_be_fetched_again_but_bytes_only_once() {
        let task = task_with(Completion::Connected(Ok(7))).await;
        for _ in 0..2 {
            assert!(matches!(take_repeatable(&task, 0), Some(Completion::Connected(Ok(7)))));
        }
        let task = task_with(Completion::Written(Err(plugin_fault("x")))).await;
        for _ in 0..2 {
            assert!(matches!(take_repeatable(&task, 0), Some(Completion::Written(Err(_)))));
        }
        let task = Task::default();
        task.begin(TaskStart::default());
        let read = ReceivedBytes::new(b"abc".to_vec(), &task.allowance);
        task.operations.submit(OperationKind::Socket, |_| ready(Completion::Read(read)));
        poll_fn(|cx| task.operations.poll_completion(cx)).await;
        for bytes in ["abc", "", ""] {
            let Some(Completion::Read(Ok(read))) = take_repeatable(&task, 0) else { panic!("a read has a result") };
            assert_eq!(read.bytes, bytes.as_bytes());
        }
    }

    #[tokio::test]
    async fn operations_that_came_with_a_later_contract_have_no_repeatable_result() {
        let task = task_with(Completion::HeadReceived(Ok(200))).await;
        assert!(take_repeatable(&task, 0).is_none());
        assert!(take_repeatable(&task, 1).is_none());
    }
}
