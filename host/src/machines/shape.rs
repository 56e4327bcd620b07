//! The shape of a plan's intervals, by which counts from elsewhere are read.

use crate::metrics::wire::IntervalShape;
use crate::plan::Plan;

/// Returns the shape of the intervals of a plan.
pub(super) fn shape_of(plan: &Plan) -> IntervalShape {
    IntervalShape {
        rows: plan.rows.len(),
        metrics: plan.metrics.iter().map(|metric| metric.kind).collect(),
        scenarios: plan.scenarios.len(),
        plugins: plan.runtime.plugins.len(),
    }
}
