//! What all connections of a site share.

use std::sync::Arc;

use stampede_time::Timer;

use super::contents::{Catalog, Codings};
use super::stats::Stats;

/// What all connections of a site share.
pub struct Shared {
    /// What was served.
    pub stats: Arc<Stats>,
    /// Delays and drips.
    pub timer: Timer,
    /// The pages of `/api/v1/catalog`.
    pub catalog: Catalog,
    /// The bodies of `/gzip` and `/deflate`.
    pub codings: Codings,
}
