//! Checks thresholds: their metrics must exist and have the aggregation, their tags must select something, and their
//! limits must be in the right unit.

use std::sync::Arc;

use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, suggest};
use crate::metrics::aggregate::{CheckInfo, RowInfo, WHAT};
use crate::metrics::custom_metric::{MetricId, MetricInfo, MetricKind, MetricUnit};
use crate::metrics::sample::RowId;
use crate::metrics::threshold::{ApdexRow, IterationMeasure, Measure, MeasureKind, RowMeasure, ThresholdRule};
use crate::script::model::{self, NamedText, Script, Spanned};
use crate::script::outcome::OutcomeFilter;
use crate::script::threshold_flag;
use crate::script::threshold_syntax::{Limit, Quantity};

/// The metrics of every run. Those of rows can be selected by the rows' tags.
const METRICS: [(&str, MetricRef); 18] = [
    ("http_duration", MetricRef::Rows(RowMeasure::Response)),
    ("http_service_time", MetricRef::Rows(RowMeasure::Service)),
    ("http_dns", MetricRef::Rows(RowMeasure::Phase(0))),
    ("http_connect", MetricRef::Rows(RowMeasure::Phase(1))),
    ("http_tls", MetricRef::Rows(RowMeasure::Phase(2))),
    ("http_first_byte", MetricRef::Rows(RowMeasure::Phase(3))),
    ("http_receive", MetricRef::Rows(RowMeasure::Phase(4))),
    ("apdex", MetricRef::Apdex),
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

/// The tag that selects requests by how they ended, unless the script has a tag of that name.
const OUTCOME: &str = "outcome";

/// The tag that does the same in k6.
const K6_OUTCOME: &str = "expected_response";

/// The names of k6's metrics, each with the metric that it stands for.
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

/// The metric that a name refers to.
#[derive(Clone, Copy)]
enum MetricRef {
    Rows(RowMeasure),
    Iterations(IterationMeasure),
    Apdex,
    Checks,
    Users,
    StartDelay,
    Custom(MetricId),
}

/// The metrics and tags that thresholds can use.
pub(crate) struct MetricCatalog<'a> {
    /// The rows of the report.
    pub rows: &'a [RowInfo],
    /// Metrics of plugins, groups and checks.
    pub metrics: &'a [MetricInfo],
    /// The checks.
    pub checks: &'a [CheckInfo],
    /// The names of the scenarios.
    pub scenarios: &'a [Option<String>],
    /// The rows of steps, each with the name of the step's plugin.
    pub step_plugins: Vec<(RowId, &'a str)>,
}

/// Returns the thresholds of a run: those of the script, then those of flags.
///
/// # Errors
/// Thresholds have errors; all of them are returned.
pub(super) fn thresholds(
    args: &RunArgs,
    script: &Script,
    known: &MetricCatalog<'_>,
) -> Result<Vec<ThresholdRule>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut typed = script.thresholds.clone();
    typed.extend(args.threshold.iter().filter_map(|text| diagnostics.absorb(threshold_flag(text))));
    let thresholds: Vec<_> = typed.iter().filter_map(|one| diagnostics.absorb(known.threshold(one))).collect();
    // An error in a metric affects each of its thresholds, but is reported once.
    let mut once: Vec<Diagnostic> = Vec::new();
    diagnostics.0.into_iter().for_each(|diagnostic| {
        if !once.contains(&diagnostic) {
            once.push(diagnostic);
        }
    });
    Diagnostics(once).into_result(thresholds)
}

impl MetricCatalog<'_> {
    /// Returns the threshold with this metric and condition, as a report has them.
    ///
    /// # Errors
    /// The catalog has no such metric, or not its tags.
    pub(crate) fn of_report(&self, metric: &str, expression: &str) -> Result<ThresholdRule, Diagnostics> {
        self.threshold(&threshold_flag(&format!("{metric}: {expression}"))?)
    }

    fn threshold(&self, typed: &model::ThresholdSpec) -> Result<ThresholdRule, Diagnostics> {
        let reporter = ThresholdReporter(typed);
        let metric = self.metric(&typed.selector.metric, &reporter)?;
        let measure = self.measure(metric, typed, &reporter)?;
        let aggregation = typed.criterion.aggregation.value;
        let Some(quantity) = measure.quantity(aggregation) else {
            let message = format!("`{}` has no `{aggregation}`", typed.selector.metric.value);
            let help = format!("it has {}", measure.kind().aggregations());
            return Err(reporter.at(typed.criterion.aggregation.span, message, "not of this metric").help(help).into());
        };
        let per_second = measure.kind() == MeasureKind::Counter;
        let limit = limit(&typed.criterion.limit, quantity, per_second, &reporter)?;
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

    fn metric(&self, name: &Spanned<String>, reporter: &ThresholdReporter<'_>) -> Result<MetricRef, Diagnostic> {
        let typed = name.value.as_str();
        let built_in = METRICS.iter().find(|(known, _)| *known == typed).map(|(_, metric)| *metric);
        let is_check = |id: usize| self.checks.iter().any(|check| usize::from(check.metric) == id);
        let is_whole = |id: usize| self.metrics[id].row.is_none();
        let own = || self.metrics.iter().enumerate().filter(|(id, _)| is_whole(*id) && !is_check(*id));
        let names: Vec<_> = own().map(|(id, info)| (id, format!("{}.{}", info.plugin, info.name))).collect();
        let custom = names.iter().find(|(_, known)| known == typed).map(|(id, _)| MetricRef::Custom(*id as MetricId));
        built_in.or(custom).ok_or_else(|| {
            let diagnostic = reporter.at(name.span, format!("there is no metric `{typed}`"), "unknown metric");
            let translated = K6_NAMES.iter().find(|(known, _)| *known == typed).map(|(_, ours)| *ours);
            let all = METRICS.iter().map(|(known, _)| *known).chain(names.iter().map(|(_, known)| known.as_str()));
            match translated.or_else(|| suggest(typed, all.clone())) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("there are: {}", all.collect::<Vec<_>>().join(", "))),
            }
        })
    }

    /// Returns the measure of a metric with its tags.
    fn measure(
        &self,
        metric: MetricRef,
        typed: &model::ThresholdSpec,
        reporter: &ThresholdReporter<'_>,
    ) -> Result<Measure, Diagnostic> {
        let tags = &typed.selector.tags;
        let measure = match metric {
            MetricRef::Rows(measure) => return self.row_measure(measure, typed, reporter),
            MetricRef::Apdex => return self.apdex(typed, reporter),
            MetricRef::Iterations(measure) => {
                return self.iterations(tags, reporter).map(|scenarios| Measure::Iterations(measure, scenarios));
            }
            MetricRef::Checks => return self.checks(typed, reporter),
            MetricRef::Users => Measure::Users,
            MetricRef::StartDelay => Measure::StartDelay,
            MetricRef::Custom(id) if tags.is_empty() || !self.is_of_plugin(id) => self.metrics_of(vec![id]),
            MetricRef::Custom(id) => return self.step_metrics(id, typed, reporter),
        };
        let Some(tag) = tags.first() else { return Ok(measure) };
        let message = format!("`{}` has no tags", typed.selector.metric.value);
        let help =
            "it covers the whole run; metrics of requests, of iterations and of plugins, and `checks`, have tags";
        Err(reporter.at(tag.name.span, message, "no such tag").help(help))
    }

    /// Returns a measure of the rows that have these tags; of times, a tag `outcome` selects requests in them.
    fn row_measure(
        &self,
        measure: RowMeasure,
        typed: &model::ThresholdSpec,
        reporter: &ThresholdReporter<'_>,
    ) -> Result<Measure, Diagnostic> {
        let is_own = |name: &str| self.rows.iter().flat_map(RowInfo::all_tags).any(|(known, _)| known == name);
        let is_outcome = |tag: &NamedText| tag.name.value == OUTCOME && !is_own(OUTCOME);
        let (outcomes, tags): (Vec<_>, Vec<_>) = typed.selector.tags.iter().cloned().partition(is_outcome);
        if let Some(tag) = tags.iter().find(|tag| tag.name.value == K6_OUTCOME && !is_own(K6_OUTCOME)) {
            let diagnostic = reporter.at(tag.name.span, format!("there is no tag `{K6_OUTCOME}`"), "unknown");
            let near = if tag.value.value == "false" { "failed" } else { "ok" };
            return Err(diagnostic.help(format!("did you mean `{OUTCOME}:{near}`?")));
        }
        let mut selected = measure;
        for NamedText { name, value } in &outcomes {
            let filter = OutcomeFilter::from_name(&value.value).ok_or_else(|| {
                unknown_name(value, OUTCOME, OutcomeFilter::NAMES.map(|(name, _)| name).to_vec(), reporter)
            })?;
            selected = measure.of_outcome(filter).ok_or_else(|| {
                let message = format!("`{}` has no tag `{OUTCOME}`", typed.selector.metric.value);
                let help = "`http_duration` and `http_service_time` have it";
                reporter.at(name.span, message, "no such tag").help(help)
            })?;
        }
        let mut rows = self.rows(&tags, reporter)?;
        // Times that are by design say nothing about the site: they are compared only if that is asked for.
        if measure.is_time() && !tags.iter().any(|tag| tag.name.value == WHAT) {
            rows.retain(|row| !self.rows[usize::from(*row)].is_by_design());
        }
        Ok(Measure::Rows(selected, rows))
    }

    /// Returns the score of the rows that have these tags and a target.
    fn apdex(&self, typed: &model::ThresholdSpec, reporter: &ThresholdReporter<'_>) -> Result<Measure, Diagnostic> {
        let target = |row: RowId| Some(ApdexRow { row, target: self.rows[usize::from(row)].apdex_target? });
        let rows: Vec<_> = self.rows(&typed.selector.tags, reporter)?.into_iter().filter_map(target).collect();
        if rows.is_empty() {
            let message = "no step with these tags has a target for its response times";
            let help = "give a step, or the script, a target: `apdex: 300ms`";
            return Err(reporter.at(typed.selector.metric.span, message, "no target").help(help));
        }
        Ok(Measure::Apdex(rows))
    }

    /// Returns `true` if a metric is of a plugin, and not of a group.
    fn is_of_plugin(&self, id: MetricId) -> bool {
        self.step_plugins.iter().any(|(_, plugin)| *plugin == self.metrics[usize::from(id)].plugin)
    }

    fn metrics_of(&self, ids: Vec<MetricId>) -> Measure {
        let MetricInfo { kind, unit, .. } = self.metrics[usize::from(ids[0])];
        Measure::Metrics { ids, kind, unit }
    }

    /// Returns a plugin's metric of the steps that have these tags, at least one.
    fn step_metrics(
        &self,
        id: MetricId,
        typed: &model::ThresholdSpec,
        reporter: &ThresholdReporter<'_>,
    ) -> Result<Measure, Diagnostic> {
        let (whole, tags) = (&self.metrics[usize::from(id)], &typed.selector.tags);
        let rows = self.rows(tags, reporter)?;
        let own: Vec<RowId> =
            self.step_plugins.iter().filter(|(_, plugin)| *plugin == whole.plugin).map(|(row, _)| *row).collect();
        let selected: Vec<RowId> = own.iter().copied().filter(|row| rows.contains(row)).collect();
        let span = tags.first().map_or(typed.selector.metric.span, |tag| tag.name.span);
        if selected.is_empty() {
            let message = format!("no step with these tags is of plugin `{}`", whole.plugin);
            return Err(reporter
                .at(span, message, "selects nothing")
                .help("name a step whose action the plugin offers"));
        }
        if selected.len() == own.len() {
            return Ok(self.metrics_of(vec![id]));
        }
        let of_step =
            |row: &RowId| self.metrics.iter().position(|info| info.row == Some(*row) && info.is_same_as(whole));
        let ids: Vec<MetricId> = selected.iter().filter_map(of_step).map(|id| id as MetricId).collect();
        if ids.is_empty() {
            let message = format!("`{}` is not counted by step", typed.selector.metric.value);
            let help = "the script has too many steps with metrics of plugins: leave out the tags";
            return Err(reporter.at(span, message, "no such tag").help(help));
        }
        Ok(self.metrics_of(ids))
    }

    /// Returns the scenarios that have all these tags. The only tag of scenarios is `scenario`.
    fn iterations(&self, tags: &[NamedText], reporter: &ThresholdReporter<'_>) -> Result<Vec<usize>, Diagnostic> {
        let names = || self.scenarios.iter().flatten().map(String::as_str);
        for NamedText { name, value } in tags {
            if name.value != "scenario" {
                return Err(unknown_name(name, "tag", vec!["scenario"], reporter));
            }
            if !names().any(|known| known == value.value) {
                return Err(unknown_name(value, "scenario", names().collect(), reporter));
            }
        }
        let fits =
            |(_, known): &(usize, &Option<String>)| tags.iter().all(|tag| known.as_ref() == Some(&tag.value.value));
        Ok(self.scenarios.iter().enumerate().filter(fits).map(|(number, _)| number).collect())
    }

    /// Returns the rows that have all these tags.
    fn rows(&self, tags: &[NamedText], reporter: &ThresholdReporter<'_>) -> Result<Vec<RowId>, Diagnostic> {
        for NamedText { name, value } in tags {
            let all = || self.rows.iter().flat_map(RowInfo::all_tags);
            let mut values = all().filter(|(known, _)| *known == name.value).map(|(_, value)| value).peekable();
            if values.peek().is_none() {
                return Err(unknown_name(name, "tag", all().map(|(known, _)| known).collect(), reporter));
            }
            let values: Vec<_> = values.collect();
            if !values.contains(&value.value.as_str()) {
                return Err(unknown_name(value, &name.value, values, reporter));
            }
        }
        let has = |row: &RowInfo, tag: &NamedText| {
            row.all_tags().any(|(name, value)| name == tag.name.value && value == tag.value.value)
        };
        let fits = |(_, row): &(usize, &RowInfo)| tags.iter().all(|tag| has(row, tag));
        let rows: Vec<_> = self.rows.iter().enumerate().filter(fits).map(|(row, _)| row as RowId).collect();
        match tags.first() {
            Some(tag) if rows.is_empty() => {
                let message = "no step has all of these tags";
                Err(reporter.at(tag.name.span, message, "selects nothing").help("remove some of them"))
            }
            _ => Ok(rows),
        }
    }

    /// Returns the checks with the name in the tag `check`, of rows that have the other tags.
    fn checks(&self, typed: &model::ThresholdSpec, reporter: &ThresholdReporter<'_>) -> Result<Measure, Diagnostic> {
        let metric = &typed.selector.metric;
        if self.checks.is_empty() {
            let help = "add some to a step: `checks: {is found: {status: 200}}`";
            return Err(reporter.at(metric.span, "no step has `checks`", "no checks").help(help));
        }
        let (named, tags): (Vec<_>, Vec<_>) =
            typed.selector.tags.iter().cloned().partition(|tag| tag.name.value == "check");
        let rows = self.rows(&tags, reporter)?;
        for NamedText { value: name, .. } in &named {
            let names: Vec<_> = self.checks.iter().map(|check| check.name.as_str()).collect();
            if !names.contains(&name.value.as_str()) {
                return Err(unknown_name(name, "check", names, reporter));
            }
        }
        let fits =
            |check: &&CheckInfo| rows.contains(&check.row) && named.iter().all(|tag| tag.value.value == check.name);
        let ids: Vec<_> = self.checks.iter().filter(fits).map(|check| check.metric).collect();
        if ids.is_empty() {
            let span = typed.selector.tags.first().map_or(metric.span, |tag| tag.name.span);
            return Err(reporter.at(span, "no step with these tags has such a check", "selects nothing"));
        }
        Ok(Measure::Metrics { ids, kind: MetricKind::Rate, unit: MetricUnit::Number })
    }
}

/// Reports errors in a threshold of the script or of a flag.
struct ThresholdReporter<'a>(&'a model::ThresholdSpec);

impl ThresholdReporter<'_> {
    fn at(&self, span: Span, message: impl Into<String>, label: &str) -> Diagnostic {
        let code = if self.0.source.name == "--threshold" { "usage::threshold" } else { "script::threshold" };
        Diagnostic::new(code, message).at(&Arc::clone(&self.0.source), span, label)
    }
}

fn unknown_name(
    typed: &Spanned<String>,
    kind: &str,
    mut known: Vec<&str>,
    reporter: &ThresholdReporter<'_>,
) -> Diagnostic {
    let mut seen = Vec::new();
    known.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    let message = format!("there is no {kind} `{}`", typed.value);
    let diagnostic = reporter.at(typed.span, message, "unknown");
    match suggest(&typed.value, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("there are: {}", known.join(", "))),
    }
}

/// Returns the limit in base units.
fn limit(
    typed: &Spanned<Limit>,
    wanted: Quantity,
    per_second: bool,
    reporter: &ThresholdReporter<'_>,
) -> Result<f64, Diagnostic> {
    let Limit { number, unit } = typed.value;
    let name = match wanted {
        Quantity::Time => "a time",
        Quantity::Share => "a share",
        Quantity::Bytes if per_second => "a number of bytes",
        Quantity::Bytes => "a size",
        Quantity::Number | Quantity::Score => "a plain number",
    };
    let limit = match unit {
        None if wanted == Quantity::Time => {
            let help = format!("write `{number}ms` for milliseconds, the unit of k6, or `{number}s` for seconds");
            return Err(reporter.at(typed.span, "a limit of a time needs a unit", "no unit").help(help));
        }
        None => number,
        Some(unit) if unit.quantity == wanted => number * unit.factor,
        Some(_) => return Err(reporter.at(typed.span, format!("the limit must be {name}"), "another unit")),
    };
    if wanted == Quantity::Score && !(0.0..=1.0).contains(&limit) {
        return Err(reporter.at(typed.span, "a score is from 0 to 1", "out of range"));
    }
    if wanted == Quantity::Share && !(0.0..=1.0).contains(&limit) {
        let message = "a share must be from 0 to 1";
        return Err(reporter.at(typed.span, message, "out of range").help(format!("write `{number}%` for percent")));
    }
    Ok(limit)
}

/// Formats a metric with its tags in the usual notation.
fn format_selector(selector: &crate::script::threshold_syntax::Selector) -> String {
    let tags: Vec<_> = selector.tags.iter().map(|tag| format!("{}:{}", tag.name.value, tag.value.value)).collect();
    match tags.as_slice() {
        [] => selector.metric.value.clone(),
        tags => format!("{}{{{}}}", selector.metric.value, tags.join(", ")),
    }
}
