//! Counts the connections that a worker holds open, for those who watch a run.

use std::cell::Cell;
use std::rc::Rc;

/// The number of open connections of a worker.
#[derive(Clone, Debug, Default)]
pub struct OpenConnections(Rc<Cell<u32>>);

/// A connection that counts as open until this is dropped.
#[derive(Debug)]
pub struct OpenConnection(Rc<Cell<u32>>);

impl OpenConnections {
    /// Counts a connection.
    pub fn open(&self) -> OpenConnection {
        self.0.set(self.0.get() + 1);
        OpenConnection(Rc::clone(&self.0))
    }

    /// Returns the number of connections that are open.
    pub fn count(&self) -> u32 {
        self.0.get()
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_until_it_is_dropped() {
        let open = OpenConnections::default();
        let (first, second) = (open.open(), open.open());
        assert_eq!(open.count(), 2);
        drop(first);
        assert_eq!(open.count(), 1);
        drop(second);
        assert_eq!(open.count(), 0);
    }
}
