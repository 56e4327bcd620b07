//! What all connections of a site share.

use std::sync::Arc;

use stampede_time::DelayTimer;

use super::contents::{Catalog, EncodedBodies};
use super::stats::SiteStats;

/// What all connections of a site share.
pub struct SiteState {
    /// What was served.
    pub stats: Arc<SiteStats>,
    /// Delays and drips.
    pub timer: DelayTimer,
    /// The pages of `/api/v1/catalog`.
    pub catalog: Catalog,
    /// The bodies of `/gzip` and `/deflate`.
    pub codings: EncodedBodies,
}
