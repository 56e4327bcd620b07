//! Warnings about viewers: loads that are valid, and measure something else than people would see.

use stampede_time::Nanos;

use super::{Plan, Scenario, Step};
use crate::load_model::IterationRule;
use crate::load_model::phrases::time;
use crate::metrics::aggregate::label;
use crate::pace::LoadProfile;

/// The built-in plugin whose steps are viewers.
const VIEWER: &str = "stream";
/// The number of times at which arrivals are summed up.
const LOOKS: u64 = 256;

/// Returns the warnings about a plan's viewers.
pub(crate) fn warnings(plan: &Plan) -> Vec<String> {
    let all = plan.scenarios.iter().flat_map(|scenario| {
        let viewers = plan.steps.iter().filter(move |step| is_viewer_of(plan, scenario, step));
        viewers.flat_map(move |step| warnings_of(plan, scenario, step))
    });
    all.collect()
}

fn is_viewer_of(plan: &Plan, scenario: &Scenario, step: &Step) -> bool {
    let plugin = &plan.runtime.plugins[step.plugin].plugin;
    let is_of_scenario = plan.rows[usize::from(step.row)].scenario == scenario.name;
    is_of_scenario && plugin.is_builtin && plugin.name() == VIEWER
}

/// Returns the warnings about the viewers of one step.
fn warnings_of(plan: &Plan, scenario: &Scenario, step: &Step) -> Vec<String> {
    let row = &plan.rows[usize::from(step.row)];
    let name = label(row.scenario.as_deref(), &row.name);
    let workload = &scenario.workload;
    let mut warnings = Vec::new();
    if workload.link.is_none() {
        warnings.push(format!(
            "the viewers of `{name}` have no `link`: every viewer of a fast network plays the highest quality"
        ));
    }
    let Some(lasts) = step.lifetime.lasts else { return warnings };
    let length = workload.rule().length();
    if let Some(length) = length.filter(|length| *length < lasts) {
        warnings.push(format!(
            "the viewers of `{name}` watch for up to {}, and the load ends after {}: their sessions are cut, and count as \
             they are",
            time(lasts),
            time(length)
        ));
    }
    if step.timeout < lasts {
        warnings.push(format!(
            "the timeout of `{name}`, {}, ends sessions of up to {}",
            time(step.timeout),
            time(lasts)
        ));
    }
    if let IterationRule::Arrivals(rule) = workload.rule() {
        let wanted = most_at_once(&rule.rate, lasts);
        if wanted > f64::from(rule.max_users) {
            warnings.push(format!(
                "up to {wanted:.0} viewers of `{name}` would watch at once, and `max_users` is {}: later ones are dropped",
                rule.max_users
            ));
        }
    }
    warnings
}

/// Returns the most arrivals within a time.
fn most_at_once(rate: &LoadProfile, lasts: Nanos) -> f64 {
    let looks = (0..=LOOKS).map(|look| {
        let until = (u128::from(rate.end()) * u128::from(look) / u128::from(LOOKS)) as Nanos;
        rate.area_until(until) - rate.area_until(until.saturating_sub(lasts))
    });
    looks.fold(0.0, f64::max).floor()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stampede_time::SECOND;

    use super::*;
    use crate::pace::Stage;

    #[test]
    fn arrivals_within_the_time_of_a_session_watch_at_once() {
        let crowd = [(30, 200.0), (0, 0.0), (1_200, 0.0)]
            .map(|(seconds, target)| Stage { duration: Duration::from_secs(seconds), target });
        let crowd = LoadProfile::new(0.0, &crowd);
        let even = LoadProfile::constant(10.0, Duration::from_secs(600));
        for (case, rate, seconds, expected) in [
            ("all of a crowd", &crowd, 1_200, 3_000.0),
            ("an even rate", &even, 60, 600.0),
            ("sessions longer than the load", &even, 6_000, 6_000.0),
        ] {
            let most = most_at_once(rate, seconds * SECOND);
            assert!((expected - 15.0..=expected).contains(&most), "{case}: {most}");
        }
    }
}
