//! The exchange between the driver of a node and the load that it drives.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use stampede_fleet::{FleetPlan, NodeEvent};
use tokio::sync::mpsc;

use super::bundle::Bundle;
use super::counts::{FleetCounts, SharedShape};
use crate::run::load_controller::LoadController;
use crate::run::remote::StartGate;

/// The events of a node.
pub(super) type NodeEvents = mpsc::UnboundedSender<NodeEvent<FleetCounts>>;

/// The state that driver and load share.
#[derive(Clone)]
pub(super) struct NodeShared {
    pub(super) events: NodeEvents,
    pub(super) shape: SharedShape,
    /// The end of the load, from its start, as far as it is known.
    pub(super) load_end: Arc<AtomicU64>,
}

/// The load that the driver asks for.
pub(super) struct LoadJob {
    pub(super) bundle: Bundle,
    pub(super) plan: FleetPlan,
    pub(super) segment: u32,
    pub(super) gate: StartGate,
    pub(super) controller: LoadController,
    pub(super) shared: NodeShared,
}
