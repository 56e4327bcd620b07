//! Thresholds that are valid: their metrics exist and have the aggregation that is asked of them, their tags find
//! something, their limits are in the right unit.

use std::sync::Arc;

use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, suggest};
use crate::metrics::aggregate::{CheckInfo, RowInfo};
use crate::metrics::custom_metric::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::metrics::sample::RowId;
use crate::metrics::threshold::{IterationMeasure, Measure, MeasureKind, RowMeasure, ThresholdRule};
use crate::script::model::{self, Script, Spanned};
use crate::script::threshold_flag;
use crate::script::threshold_syntax::{Limit, Quantity};

/// The metrics of every run. One that belongs to rows may have their tags.
const METRICS: [(&str, MetricRef); 17] = [
    ("http_duration", MetricRef::Rows(RowMeasure::Response)),
    ("http_service_time", MetricRef::Rows(RowMeasure::Service)),
    ("http_dns", MetricRef::Rows(RowMeasure::Phase(0))),
    ("http_connect", MetricRef::Rows(RowMeasure::Phase(1))),
    ("http_tls", MetricRef::Rows(RowMeasure::Phase(2))),
    ("http_first_byte", MetricRef::Rows(RowMeasure::Phase(3))),
    ("http_receive", MetricRef::Rows(RowMeasure::Phase(4))),
    ("http_failed", MetricRef::Rows(RowMeasure::Failed)),
    ("http_reqs", MetricRef::Rows(RowMeasure::Requests)),
    ("bytes_in", MetricRef::Rows(RowMeasure::BytesIn)),
    ("bytes_out", MetricRef::Rows(RowMeasure::BytesOut)),
    ("iterations", MetricRef::Iterations(IterationMeasure::Completed)),
    ("dropped_iterations", MetricRef::Iterations(IterationMeasure::Dropped)),
    ("iteration_duration", MetricRef::Iterations(IterationMeasure::Duration)),
    ("checks", MetricRef::Checks),
    ("users", MetricRef::Users),
    ("start_delay", MetricRef::StartDelay),
];

/// What k6 calls them.
const K6_NAMES: [(&str, &str); 12] = [
    ("http_req_duration", "http_duration"),
    ("http_req_failed", "http_failed"),
    ("http_req_blocked", "http_connect"),
    ("http_req_connecting", "http_connect"),
    ("http_req_looking_up", "http_dns"),
    ("http_req_tls_handshaking", "http_tls"),
    ("http_req_sending", "http_first_byte"),
    ("http_req_waiting", "http_first_byte"),
    ("http_req_receiving", "http_receive"),
    ("data_received", "bytes_in"),
    ("data_sent", "bytes_out"),
    ("vus", "users"),
];

/// Which metric a name means.
#[derive(Clone, Copy)]
enum MetricRef {
    Rows(RowMeasure),
    Iterations(IterationMeasure),
    Checks,
    Users,
    StartDelay,
    Custom(MetricId),
}

/// What thresholds can look at.
pub struct MetricCatalog<'a> {
    /// The rows of the report.
    pub rows: &'a [RowInfo],
    /// Metrics of plugins, groups and checks.
    pub metrics: &'a [MetricInfo],
    /// The checks.
    pub checks: &'a [CheckInfo],
    /// The names of the scenarios.
    pub scenarios: &'a [Option<String>],
}

/// The thresholds of a run: those of the script, then those of flags.
///
/// # Errors
/// Everything that is wrong with any.
pub fn thresholds(
    args: &RunArgs,
    script: &Script,
    known: &MetricCatalog<'_>,
) -> Result<Vec<ThresholdRule>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut typed = script.thresholds.clone();
    typed.extend(args.threshold.iter().filter_map(|text| diagnostics.absorb(threshold_flag(text))));
    let thresholds: Vec<_> = typed.iter().filter_map(|one| diagnostics.absorb(known.threshold(one))).collect();
    // What is wrong with a metric is wrong with each of its thresholds, and said once.
    let mut once: Vec<Diagnostic> = Vec::new();
    diagnostics.0.into_iter().for_each(|diagnostic| {
        if !once.contains(&diagnostic) {
            once.push(diagnostic);
        }
    });
    Diagnostics(once).into_result(thresholds)
}

impl MetricCatalog<'_> {
    fn threshold(&self, typed: &model::ThresholdSpec) -> Result<ThresholdRule, Diagnostics> {
        let wrong = ThresholdReporter(typed);
        let metric = self.metric(&typed.selector.metric, &wrong)?;
        let measure = self.measure(metric, typed, &wrong)?;
        let aggregation = typed.criterion.aggregation.value;
        let Some(quantity) = measure.quantity(aggregation) else {
            let message = format!("`{}` has no `{aggregation}`", typed.selector.metric.value);
            let help = format!("it has {}", measure.kind().aggregations());
            return Err(wrong.at(typed.criterion.aggregation.span, message, "not of this metric").help(help).into());
        };
        let per_second = measure.kind() == MeasureKind::Counter;
        let limit = limit(&typed.criterion.limit, quantity, per_second, &wrong)?;
        Ok(ThresholdRule {
            metric: format_selector(&typed.selector),
            expression: typed.text.clone(),
            measure,
            aggregation,
            comparison: typed.criterion.comparison,
            limit,
            quantity,
            window: typed.criterion.window.as_ref().map(|window| window.value.as_secs() as u32),
            abort: typed.abort.then(|| typed.delay.as_ref().map_or(0, |delay| delay.value.as_secs_f64().ceil() as u32)),
        })
    }

    fn metric(&self, name: &Spanned<String>, wrong: &ThresholdReporter<'_>) -> Result<MetricRef, Diagnostic> {
        let typed = name.value.as_str();
        let built_in = METRICS.iter().find(|(known, _)| *known == typed).map(|(_, metric)| *metric);
        let is_check = |id: usize| self.checks.iter().any(|check| usize::from(check.metric) == id);
        let own = || self.metrics.iter().enumerate().filter(|(id, _)| !is_check(*id));
        let names: Vec<_> = own().map(|(id, info)| (id, format!("{}.{}", info.plugin, info.name))).collect();
        let custom = names.iter().find(|(_, known)| known == typed).map(|(id, _)| MetricRef::Custom(*id as MetricId));
        built_in.or(custom).ok_or_else(|| {
            let diagnostic = wrong.at(name.span, format!("there is no metric `{typed}`"), "unknown metric");
            let translated = K6_NAMES.iter().find(|(known, _)| *known == typed).map(|(_, ours)| *ours);
            let all = METRICS.iter().map(|(known, _)| *known).chain(names.iter().map(|(_, known)| known.as_str()));
            match translated.or_else(|| suggest(typed, all.clone())) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("there are: {}", all.collect::<Vec<_>>().join(", "))),
            }
        })
    }

    /// What a metric with its tags looks at.
    fn measure(
        &self,
        metric: MetricRef,
        typed: &model::ThresholdSpec,
        wrong: &ThresholdReporter<'_>,
    ) -> Result<Measure, Diagnostic> {
        let tags = &typed.selector.tags;
        let measure = match metric {
            MetricRef::Rows(what) => return self.rows(tags, wrong).map(|rows| Measure::Rows(what, rows)),
            MetricRef::Iterations(what) => {
                return self.iterations(tags, wrong).map(|scenarios| Measure::Iterations(what, scenarios));
            }
            MetricRef::Checks => return self.checks(typed, wrong),
            MetricRef::Users => Measure::Users,
            MetricRef::StartDelay => Measure::StartDelay,
            MetricRef::Custom(id) => {
                let MetricInfo { kind, unit, .. } = self.metrics[usize::from(id)];
                Measure::Metrics { ids: vec![id], kind, unit }
            }
        };
        let Some((name, _)) = tags.first() else { return Ok(measure) };
        let message = format!("`{}` has no tags", typed.selector.metric.value);
        let help = "it is of the whole run; metrics of requests and of iterations, and `checks`, have tags";
        Err(wrong.at(name.span, message, "no such tag").help(help))
    }

    /// The scenarios that have all these tags, of which there is one.
    fn iterations(
        &self,
        tags: &[(Spanned<String>, Spanned<String>)],
        wrong: &ThresholdReporter<'_>,
    ) -> Result<Vec<usize>, Diagnostic> {
        let names = || self.scenarios.iter().flatten().map(String::as_str);
        for (name, value) in tags {
            if name.value != "scenario" {
                return Err(unknown_name(name, "tag", vec!["scenario"], wrong));
            }
            if !names().any(|known| known == value.value) {
                return Err(unknown_name(value, "scenario", names().collect(), wrong));
            }
        }
        let fits =
            |(_, known): &(usize, &Option<String>)| tags.iter().all(|(_, value)| known.as_ref() == Some(&value.value));
        Ok(self.scenarios.iter().enumerate().filter(fits).map(|(number, _)| number).collect())
    }

    /// The rows that have all these tags.
    fn rows(
        &self,
        tags: &[(Spanned<String>, Spanned<String>)],
        wrong: &ThresholdReporter<'_>,
    ) -> Result<Vec<RowId>, Diagnostic> {
        for (name, value) in tags {
            let all = || self.rows.iter().flat_map(RowInfo::all_tags);
            let mut values = all().filter(|(known, _)| *known == name.value).map(|(_, value)| value).peekable();
            if values.peek().is_none() {
                return Err(unknown_name(name, "tag", all().map(|(known, _)| known).collect(), wrong));
            }
            let values: Vec<_> = values.collect();
            if !values.contains(&value.value.as_str()) {
                return Err(unknown_name(value, &name.value, values, wrong));
            }
        }
        let has = |row: &RowInfo, tag: &(Spanned<String>, Spanned<String>)| {
            row.all_tags().any(|(name, value)| name == tag.0.value && value == tag.1.value)
        };
        let fits = |(_, row): &(usize, &RowInfo)| tags.iter().all(|tag| has(row, tag));
        let rows: Vec<_> = self.rows.iter().enumerate().filter(fits).map(|(row, _)| row as RowId).collect();
        match tags.first() {
            Some((name, _)) if rows.is_empty() => {
                Err(wrong.at(name.span, "no step has all of these tags", "nothing fits").help("leave some of them out"))
            }
            _ => Ok(rows),
        }
    }

    /// The checks of that name, of rows that have the other tags.
    fn checks(&self, typed: &model::ThresholdSpec, wrong: &ThresholdReporter<'_>) -> Result<Measure, Diagnostic> {
        let metric = &typed.selector.metric;
        if self.checks.is_empty() {
            let help = "give a step some: `checks: {is found: {status: 200}}`";
            return Err(wrong.at(metric.span, "no step has `checks`", "nothing is checked").help(help));
        }
        let (named, tags): (Vec<_>, Vec<_>) =
            typed.selector.tags.iter().cloned().partition(|(name, _)| name.value == "check");
        let rows = self.rows(&tags, wrong)?;
        for (_, name) in &named {
            let names: Vec<_> = self.checks.iter().map(|check| check.name.as_str()).collect();
            if !names.contains(&name.value.as_str()) {
                return Err(unknown_name(name, "check", names, wrong));
            }
        }
        let fits =
            |check: &&CheckInfo| rows.contains(&check.row) && named.iter().all(|(_, name)| name.value == check.name);
        let ids: Vec<_> = self.checks.iter().filter(fits).map(|check| check.metric).collect();
        if ids.is_empty() {
            let span = typed.selector.tags.first().map_or(metric.span, |(name, _)| name.span);
            return Err(wrong.at(span, "no step with these tags has such a check", "nothing fits"));
        }
        Ok(Measure::Metrics { ids, kind: MetricKind::Rate, unit: MetricUnit::Number })
    }
}

/// Says what is wrong with a threshold, in the script or in a flag.
struct ThresholdReporter<'a>(&'a model::ThresholdSpec);

impl ThresholdReporter<'_> {
    fn at(&self, span: Span, message: impl Into<String>, label: &str) -> Diagnostic {
        let code = if self.0.source.name == "--threshold" { "usage::threshold" } else { "script::threshold" };
        Diagnostic::new(code, message).at(&Arc::clone(&self.0.source), span, label)
    }
}

fn unknown_name(
    typed: &Spanned<String>,
    what: &str,
    mut known: Vec<&str>,
    wrong: &ThresholdReporter<'_>,
) -> Diagnostic {
    let mut seen = Vec::new();
    known.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    let message = format!("there is no {what} `{}`", typed.value);
    let diagnostic = wrong.at(typed.span, message, "fits nothing");
    match suggest(&typed.value, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("there are: {}", known.join(", "))),
    }
}

/// The limit in base units.
fn limit(
    typed: &Spanned<Limit>,
    wanted: Quantity,
    per_second: bool,
    wrong: &ThresholdReporter<'_>,
) -> Result<f64, Diagnostic> {
    let Limit { number, unit } = typed.value;
    let what = match wanted {
        Quantity::Time => "a time",
        Quantity::Share => "a share",
        Quantity::Bytes if per_second => "a number of bytes",
        Quantity::Bytes => "a size",
        Quantity::Number => "a plain number",
    };
    let limit = match unit {
        None if wanted == Quantity::Time => {
            let help = format!("write `{number}ms` for milliseconds, which k6 means by a number alone, or `{number}s`");
            return Err(wrong.at(typed.span, "a limit of a time needs a unit", "no unit").help(help));
        }
        None => number,
        Some((quantity, factor)) if quantity == wanted => number * factor,
        Some(_) => return Err(wrong.at(typed.span, format!("the limit must be {what}"), "another unit")),
    };
    if wanted == Quantity::Share && !(0.0..=1.0).contains(&limit) {
        let message = "a share is from 0 to 1";
        return Err(wrong.at(typed.span, message, "never so").help(format!("write `{number}%` for percent")));
    }
    Ok(limit)
}

/// A metric with its tags as they are usually written.
fn format_selector(selector: &crate::script::threshold_syntax::Selector) -> String {
    let tags: Vec<_> = selector.tags.iter().map(|(name, value)| format!("{}:{}", name.value, value.value)).collect();
    match tags.as_slice() {
        [] => selector.metric.value.clone(),
        tags => format!("{}{{{}}}", selector.metric.value, tags.join(", ")),
    }
}
