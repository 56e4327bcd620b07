//! The memory that the contents of replies may take over all users of a run. A limit for each task alone would let a
//! hundred users hold six gigabytes.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::net::Failure;

/// The memory for contents. Clones, on any thread, share it.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget {
    size: usize,
    taken: Arc<AtomicUsize>,
}

/// A part of the memory, which is given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct BudgetPart {
    budget: Option<BodyBudget>,
    bytes: usize,
}

impl BodyBudget {
    /// Creates a budget of this many bytes.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, taken: Arc::default() }
    }

    /// Returns its size in bytes.
    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    /// Returns a part without any bytes yet.
    pub(super) fn part(&self) -> BudgetPart {
        BudgetPart { budget: Some(self.clone()), bytes: 0 }
    }
}

impl BudgetPart {
    /// Changes the part to this many bytes. A part that belongs to no budget has room for any number.
    ///
    /// # Errors
    /// The budget has no room; the part stays as it was.
    pub(super) fn resize(&mut self, bytes: usize) -> Result<(), Failure> {
        let Some(BodyBudget { size, taken }) = &self.budget else { return Ok(()) };
        let change = |all: usize| Some(all - self.bytes + bytes).filter(|all| bytes <= self.bytes || all <= size);
        match taken.fetch_update(Relaxed, Relaxed, change) {
            Ok(_) => self.bytes = bytes,
            Err(_) => {
                return Err(Failure::protocol(format!(
                    "the contents of replies that are kept take more than {} MiB in all; `--body-memory` allows more",
                    size >> 20
                )));
            }
        }
        Ok(())
    }
}

impl Drop for BudgetPart {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.taken.fetch_sub(self.bytes, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_share_the_budget_and_give_it_back() {
        let budget = BodyBudget::new(10 << 20);
        let (mut one, mut other) = (budget.part(), budget.clone().part());
        assert_eq!((one.resize(6 << 20), other.resize(4 << 20)), (Ok(()), Ok(())));
        let failure = one.resize((6 << 20) + 1).unwrap_err();
        let problem = "the contents of replies that are kept take more than 10 MiB in all";
        assert_eq!(failure.detail, format!("{problem}; `--body-memory` allows more"));
        assert_eq!(one.resize(5 << 20), Ok(()));
        drop(other);
        assert_eq!(one.resize(10 << 20), Ok(()));
        drop(one);
        assert_eq!(budget.taken.load(Relaxed), 0);
        assert_eq!(BudgetPart::default().resize(usize::MAX), Ok(()));
    }
}
