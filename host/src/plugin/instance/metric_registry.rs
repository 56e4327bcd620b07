//! The names of plugins' metrics. They are defined while steps are configured: first when the script is checked, which
//! makes the list, then in every instance, which finds its own names in it again.

use super::limits;
use crate::metrics::custom_metric::{MetricId, MetricInfo, MetricKind, MetricUnit};

/// The metrics of a run.
#[derive(Debug, Default)]
pub struct MetricRegistry {
    list: Vec<MetricInfo>,
    /// Whether the script has been checked: rows of the report do not come and go while it runs.
    is_frozen: bool,
}

impl MetricRegistry {
    /// Those of a script that was checked.
    pub const fn frozen(list: Vec<MetricInfo>) -> Self {
        Self { list, is_frozen: true }
    }

    /// All of them, by number.
    pub fn list(&self) -> &[MetricInfo] {
        &self.list
    }

    /// The number of a plugin's metric.
    ///
    /// # Errors
    /// A message for the user: the name is none, is that of another kind of metric, or is one too many.
    pub fn define(
        &mut self,
        plugin: &str,
        name: String,
        (kind, unit): (MetricKind, MetricUnit),
    ) -> Result<MetricId, String> {
        let position = self.list.iter().position(|known| known.plugin == plugin && known.name == name);
        if let Some(number) = position {
            let existing = &self.list[number];
            if (existing.kind, existing.unit) == (kind, unit) {
                return Ok(number as MetricId);
            }
            let (kind, unit) = (existing.kind.name(), existing.unit.name());
            return Err(format!("the metric `{name}` is a {kind} of {unit} already"));
        }
        if !is_name(&name) {
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
        let trends = self.list.iter().filter(|known| known.kind == MetricKind::Trend).count();
        if kind == MetricKind::Trend && trends >= limits::TRENDS {
            return Err(format!("there may be {} metrics of kind trend", limits::TRENDS));
        }
        self.list.push(MetricInfo { plugin: plugin.into(), name, kind, unit });
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

    const SUM: (MetricKind, MetricUnit) = (MetricKind::Counter, MetricUnit::Bytes);

    #[test]
    fn a_name_is_one_metric_of_its_plugin() {
        let mut metrics = MetricRegistry::default();
        assert_eq!(metrics.define("one", "x".into(), SUM), Ok(0));
        assert_eq!(metrics.define("one", "y".into(), SUM), Ok(1));
        assert_eq!(metrics.define("other", "x".into(), SUM), Ok(2));
        assert_eq!(metrics.define("one", "x".into(), SUM), Ok(0));
        let trend = (MetricKind::Trend, MetricUnit::Bytes);
        let said = metrics.define("one", "x".into(), trend).unwrap_err();
        assert_eq!(said, "the metric `x` is a counter of bytes already");
        let mut complete = MetricRegistry::frozen(metrics.list().to_vec());
        assert_eq!(complete.define("other", "x".into(), SUM), Ok(2));
        let said = complete.define("other", "z".into(), SUM).unwrap_err();
        assert_eq!(said, "the metric `z` was not defined when the script was checked");
    }

    #[test]
    fn names_are_limited_in_number_and_in_letters() {
        let mut metrics = MetricRegistry::default();
        for name in ["", "X", "1x", "a b", "a\n", "ä", &"x".repeat(65)] {
            assert!(metrics.define("one", name.into(), SUM).is_err(), "{name}");
        }
        let trend = (MetricKind::Trend, MetricUnit::Bytes);
        for number in 0..limits::METRICS {
            let kind = if number < limits::TRENDS { trend } else { SUM };
            assert!(metrics.define("one", format!("x{number}"), kind).is_ok());
            if number == limits::TRENDS {
                assert_eq!(
                    metrics.define("two", "x".into(), trend),
                    Err("there may be 64 metrics of kind trend".into())
                );
            }
        }
        assert_eq!(metrics.define("two", "x".into(), SUM), Err("there may be 256 metrics".into()));
    }
}
