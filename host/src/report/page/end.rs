//! The last event of a page's log: the report, so that the page shows the very numbers of its other forms.

use serde_json::{Value, json};

use super::super::model::Report;

/// Returns the last event: the report without its histograms and its series, which the ticks have.
pub(crate) fn end_event(report: &Report) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(report)?;
    remove(&mut value, "series");
    remove(&mut value["totals"], "histograms");
    remove(&mut value["generator"], "start_delay_histogram");
    for (list, field) in [("actions", "histograms"), ("scenarios", "iteration_histogram"), ("metrics", "histogram")] {
        value[list].as_array_mut().into_iter().flatten().for_each(|element| remove(element, field));
    }
    serde_json::to_string(&json!({ "type": "end", "report": value }))
}

fn remove(object: &mut Value, field: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_reports;
    use super::*;

    #[test]
    fn it_is_the_report_without_histograms() {
        let line = end_event(&test_reports::movies()).expect("JSON");
        let end: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(end["type"], "end");
        assert_eq!(end["report"]["totals"]["requests"]["total"], 12_012);
        assert!(end["report"]["generator"]["workers"].is_array());
        assert!(!line.contains("histogram") && !line.contains("\"series\""), "{line}");
    }
}
