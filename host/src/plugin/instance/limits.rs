//! Limits of one plugin instance. A guest that exceeds one traps or gets an error, and the run goes on. Those in
//! [`Limits`] can be set for each plugin in the script; a well-behaved plugin comes near none of the others.

use std::time::Duration;

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

/// The limits that a script may set, with their defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance in bytes, all its memories together.
    pub memory: usize,
    /// Processor time for one `start`, `resume`, `cancel` or `forget-user`.
    pub call: Duration,
    /// Operations of one task that are in flight, or completed and not yet fetched.
    pub operations: usize,
    /// Bytes that one call of the guest may copy to the host.
    pub copied: usize,
    /// Log lines of all instances on one worker in one second; the rest are counted and left out.
    pub log_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            call: Duration::from_millis(100),
            operations: 1024,
            // A body of the maximum size, and the rest of its request.
            copied: 17 << 20,
            log_lines: 20,
        }
    }
}

/// Elements of one table.
const TABLE_ELEMENTS: usize = 100_000;
/// Core instances inside one component: a few adapters beside the plugin itself, and with an interpreter each of its
/// libraries. One of componentize-py has 38.
const INSTANCES: usize = 64;
/// Linear memories and tables inside one component.
const MEMORIES: usize = 8;
/// WASI resources (streams and the like) one instance may hold.
pub(crate) const RESOURCES: usize = 256;
/// Templates one instance may compile, of all its steps together.
pub(crate) const TEMPLATES: usize = 100_000;
/// Requests one instance may prepare, of all its steps together.
pub(crate) const REQUESTS: usize = 20_000;
/// Bytes of the templates and file bodies that one instance may prepare; a request has copies of its templates.
pub(crate) const PREPARED: usize = 256 << 20;
/// Variable names that the users of one worker may have, those of the script included.
pub(crate) const VARIABLES: usize = 1024;
/// Bytes of a variable's name that a guest sets.
pub(crate) const VARIABLE_NAME: usize = 256;
/// Bytes of a variable's value that a guest sets.
pub(crate) const VARIABLE: usize = 64 << 10;
/// Bytes of one header field's value.
pub(crate) const HEADER_VALUE: usize = 16 << 10;
/// Bytes of the body of one request that is decided at run time.
pub(crate) const DYNAMIC_BODY: usize = 16 << 20;
/// Processor time for instantiation, `describe` and each `configure`, which may parse and compile, before the load.
pub(crate) const SET_UP: Duration = Duration::from_secs(10);
/// Metrics of all plugins of a run.
pub(crate) const METRICS: usize = 256;
/// Trends among them: the distribution of one may take 0.4 MiB, several times over in each worker.
pub(crate) const TRENDS: usize = 64;
/// Definitions of metrics by one instance, repeated ones included: one for each step of a long script.
pub(crate) const DEFINITIONS: usize = 100_000;
/// Rows below one step, each of which takes a series of histograms in every worker.
pub(crate) const ROWS_OF_STEP: usize = 16;
/// Rows below all steps of a run.
pub(crate) const ROWS: usize = 1_000;
/// Bytes of one write to a socket.
pub(crate) const WRITE: usize = 16 << 20;
/// Protocols offered on one TLS connection (ALPN).
pub(crate) const PROTOCOLS: usize = 16;
/// Bytes of random numbers that a guest may ask WASI for at once.
pub(crate) const RANDOM: u64 = 64 << 10;
/// Bytes of printed text that are kept until the call returns.
pub(crate) const PRINTED: u64 = 64 << 10;

/// The limits that wasmtime enforces.
pub struct StoreLimiter {
    store: StoreLimits,
    /// Bytes of all memories so far.
    memory: usize,
    /// Maximum for all memories together, in bytes.
    max_memory: usize,
}

impl StoreLimiter {
    /// Creates the limiter of an instance with at most this much memory, in bytes.
    pub fn new(max_memory: usize) -> Self {
        let store = StoreLimitsBuilder::new()
            .table_elements(TABLE_ELEMENTS)
            .instances(INSTANCES)
            .tables(MEMORIES)
            .memories(MEMORIES)
            .build();
        Self { store, memory: 0, max_memory }
    }

    /// Returns the bytes of all memories so far.
    pub const fn memory(&self) -> usize {
        self.memory
    }
}

impl ResourceLimiter for StoreLimiter {
    // wasmtime's own limit is per memory. A memory that failed to grow although it was allowed to still counts.
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        let allowed = total <= self.max_memory && maximum.is_none_or(|max| desired <= max);
        if allowed {
            self.memory = total;
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.store.table_growing(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.store.instances()
    }

    fn tables(&self) -> usize {
        self.store.tables()
    }

    fn memories(&self) -> usize {
        self.store.memories()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_limit() {
        const MEMORY: usize = 1 << 20;
        let mut limiter = StoreLimiter::new(MEMORY);
        let mut grows = |from: usize, to: usize| limiter.memory_growing(from, to, None).unwrap();
        assert!(grows(0, MEMORY / 2), "the first memory is created");
        assert!(grows(0, MEMORY / 4), "the second is created");
        assert!(!grows(MEMORY / 2, MEMORY), "the first would go over the limit together with the second");
        assert!(grows(MEMORY / 4, MEMORY / 2), "the second takes the rest");
        assert!(!grows(0, 1), "nothing is left for a third");
    }

    #[test]
    fn instances_memories_and_tables_are_limited() {
        let mut limiter = StoreLimiter::new(1 << 20);
        assert_eq!([limiter.instances(), limiter.memories(), limiter.tables()], [INSTANCES, MEMORIES, MEMORIES]);
        let mut grows = |to: usize| limiter.table_growing(0, to, None).unwrap();
        assert!(grows(TABLE_ELEMENTS) && !grows(TABLE_ELEMENTS + 1));
    }
}
