//! State that all connections of a site share.

use std::sync::Arc;

use stampede_time::DelayTimer;

use super::contents::{Catalog, EncodedBodies};
use super::stats::SiteStats;
use super::stream::media::MediaFolder;

/// State that all connections of a site share.
pub(crate) struct SiteState {
    /// Counts of what was served.
    pub stats: Arc<SiteStats>,
    /// Timer of delayed replies and of bodies in pieces.
    pub timer: DelayTimer,
    /// Media that streams show; `None` for filler.
    pub media: Option<MediaFolder>,
    /// The pages of `/api/v1/catalog`.
    pub catalog: Catalog,
    /// The bodies of `/gzip` and `/deflate`.
    pub codings: EncodedBodies,
}
