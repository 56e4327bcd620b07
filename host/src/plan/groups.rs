//! Groups of steps, and the two metrics that each is measured by.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::custom::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::script::model::Script;

use super::Group;

/// What stands before a group's name in the report, where metrics of plugins have the plugin's.
const PREFIX: &str = "group";
/// Most groups: the distribution of one takes some memory in each worker.
const MOST: usize = 64;

/// The groups of a script; their metrics are added to those of the plugins.
///
/// # Errors
/// There are too many.
pub fn groups(script: &Script, metrics: &mut Vec<MetricInfo>) -> Result<Vec<Group>, Diagnostics> {
    if let Some(group) = script.groups.get(MOST) {
        let wrong = Diagnostic::new("script::groups", format!("there may be {MOST} groups"));
        return Err(wrong.at(&script.source, group.name.span, "one too many").into());
    }
    let groups = script.groups.iter().map(|group| {
        let mut metric = |what: &str, kind, unit| {
            let name = format!("{}.{what}", group.name.value);
            metrics.push(MetricInfo { plugin: PREFIX.into(), name, kind, unit });
            (metrics.len() - 1) as MetricId
        };
        let duration = metric("duration", MetricKind::Trend, MetricUnit::Nanoseconds);
        let passed = metric("passed", MetricKind::Rate, MetricUnit::Number);
        Group { first: group.first, after: group.after, duration, passed }
    });
    Ok(groups.collect())
}
