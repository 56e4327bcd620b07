//! What one plugin instance may use. Each limit is a number with a name; a guest that goes over one traps or gets an
//! error, and the run goes on.

use std::time::Duration;

use wasmtime::{StoreLimits, StoreLimitsBuilder};

/// Linear memory of one instance, in bytes.
const MEMORY: usize = 64 << 20;
/// Elements of one table.
const TABLE_ELEMENTS: usize = 100_000;
/// Core instances inside one component: a few adapters beside the plugin itself.
const INSTANCES: usize = 32;
/// Linear memories and tables inside one component.
const MEMORIES: usize = 8;
/// WASI resources (streams and the like) one instance may hold.
pub const RESOURCES: usize = 256;
/// Operations one task may have submitted.
pub const OPERATIONS: usize = 1024;
/// Processor time for one `start`, `resume`, `cancel` or `forget-user`.
pub const CALL: Duration = Duration::from_millis(100);
/// Processor time for instantiation, `describe` and each `configure`, which may parse and compile.
pub const SET_UP: Duration = Duration::from_secs(10);
/// Characters of a failure's detail or of a log line that are kept.
pub const TEXT: usize = 200;
/// Log lines of one instance in one second; the rest are counted and left out.
pub const LOG_LINES: u32 = 20;

/// The limits wasmtime itself enforces.
pub fn store() -> StoreLimits {
    StoreLimitsBuilder::new()
        .memory_size(MEMORY)
        .table_elements(TABLE_ELEMENTS)
        .instances(INSTANCES)
        .tables(MEMORIES)
        .memories(MEMORIES)
        .build()
}
