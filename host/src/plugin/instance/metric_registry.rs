//! The names of plugins' metrics. They are defined while steps are configured: first when the script is checked, which
//! builds the list, then in every instance, which looks its names up in it.

use super::limits;
use crate::metrics::custom_metric::{MetricId, MetricInfo, MetricKind};

/// The metrics of a run.
#[derive(Debug, Default)]
pub struct MetricRegistry {
    list: Vec<MetricInfo>,
    /// True when the script has been checked: rows of the report do not change during the run.
    is_frozen: bool,
}

impl MetricRegistry {
    /// Returns the registry of a checked script, to which no metric can be added.
    pub const fn frozen(list: Vec<MetricInfo>) -> Self {
        Self { list, is_frozen: true }
    }

    /// Returns all metrics, by number.
    pub fn list(&self) -> &[MetricInfo] {
        &self.list
    }

    /// Returns the number of a plugin's metric, adding it if it is new.
    ///
    /// # Errors
    /// A message for the user: the name is malformed or has another kind or unit already, or a limit is exceeded.
    pub fn define(&mut self, wanted: MetricInfo) -> Result<MetricId, String> {
        let MetricInfo { name, kind, unit, .. } = &wanted;
        let position = self.list.iter().position(|metric| metric.plugin == wanted.plugin && metric.name == *name);
        if let Some(number) = position {
            let existing = &self.list[number];
            if (existing.kind, existing.unit) == (*kind, *unit) {
                return Ok(number as MetricId);
            }
            let (kind, unit) = (existing.kind.name(), existing.unit.name());
            return Err(format!("the metric `{name}` is a {kind} of {unit} already"));
        }
        if !is_name(name) {
            return Err(
                "a metric's name has 1 to 64 lower case letters, digits, `_`, `-` and `.`, a letter first".into()
            );
        }
        if self.is_frozen {
            return Err(format!("the metric `{name}` was not defined when the script was checked"));
        }
        if self.list.len() >= limits::METRICS {
            return Err(format!("there may be {} metrics", limits::METRICS));
        }
        let trends = self.list.iter().filter(|metric| metric.kind == MetricKind::Trend).count();
        if *kind == MetricKind::Trend && trends >= limits::TRENDS {
            return Err(format!("there may be {} metrics of kind trend", limits::TRENDS));
        }
        self.list.push(wanted);
        Ok((self.list.len() - 1) as MetricId)
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |part: u8| part.is_ascii_lowercase() || part.is_ascii_digit() || b"_-.".contains(&part);
    text.len() <= 64 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::custom_metric::MetricUnit;

    fn metric(plugin: &str, name: &str, kind: MetricKind) -> MetricInfo {
        MetricInfo { plugin: plugin.into(), name: name.into(), kind, unit: MetricUnit::Bytes, row: None }
    }

    fn counter(plugin: &str, name: &str) -> MetricInfo {
        metric(plugin, name, MetricKind::Counter)
    }

    fn trend(plugin: &str, name: &str) -> MetricInfo {
        metric(plugin, name, MetricKind::Trend)
    }

    #[test]
    fn a_name_stands_for_one_metric_of_its_plugin() {
        let mut metrics = MetricRegistry::default();
        assert_eq!(metrics.define(counter("one", "x")), Ok(0));
        assert_eq!(metrics.define(counter("one", "y")), Ok(1));
        assert_eq!(metrics.define(counter("other", "x")), Ok(2));
        assert_eq!(metrics.define(counter("one", "x")), Ok(0));
        let error = metrics.define(trend("one", "x")).unwrap_err();
        assert_eq!(error, "the metric `x` is a counter of bytes already");
        let mut complete = MetricRegistry::frozen(metrics.list().to_vec());
        assert_eq!(complete.define(counter("other", "x")), Ok(2));
        let error = complete.define(counter("other", "z")).unwrap_err();
        assert_eq!(error, "the metric `z` was not defined when the script was checked");
    }

    #[test]
    fn the_number_of_metrics_and_the_letters_of_names_are_limited() {
        let mut metrics = MetricRegistry::default();
        for name in ["", "X", "1x", "a b", "a\n", "ä", &"x".repeat(65)] {
            assert!(metrics.define(counter("one", name)).is_err(), "{name}");
        }
        for number in 0..limits::METRICS {
            let define = if number < limits::TRENDS { trend } else { counter };
            assert!(metrics.define(define("one", &format!("x{number}"))).is_ok());
            if number == limits::TRENDS {
                assert_eq!(metrics.define(trend("two", "x")), Err("there may be 64 metrics of kind trend".into()));
            }
        }
        assert_eq!(metrics.define(counter("two", "x")), Err("there may be 256 metrics".into()));
    }
}
