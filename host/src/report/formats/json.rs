//! The report as JSON: schema `stampede-report/1`, on one line with a line feed at the end. Every field is described in
//! `report.schema.json` in the folder above; a test compares real output with it.

use std::io::{self, Write};

use super::super::model::Report;

/// Writes the whole report.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &*report.with_shown_rows())?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use serde_json::{Value, json};

    use super::super::super::test_reports;
    use super::*;

    fn schema() -> Value {
        serde_json::from_str(include_str!("../report.schema.json")).expect("the schema is JSON")
    }

    fn written(report: &Report) -> Value {
        let mut bytes = Vec::new();
        write(report, &mut bytes).expect("memory can be written to");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[test]
    fn output_fits_the_schema() {
        let schema = schema();
        jsonschema::meta::validate(&schema).expect("a valid schema");
        let validator = jsonschema::validator_for(&schema).expect("a valid schema");
        for report in [test_reports::movies(), test_reports::nothing(), test_reports::wide()] {
            let output = written(&report);
            let errors: Vec<String> =
                validator.iter_errors(&output).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
    }

    #[test]
    fn the_schema_is_strict() {
        let validator = jsonschema::validator_for(&schema()).expect("a valid schema");
        let mut output = written(&test_reports::movies());
        output["actions"][0]["surprise"] = json!(1);
        assert!(!validator.is_valid(&output), "an unknown field");
        output = written(&test_reports::movies());
        output["totals"]["requests"].as_object_mut().expect("an object").remove("ok");
        assert!(!validator.is_valid(&output), "a missing field");
    }

    /// Checks that every object lists its fields and allows no others, and that every field has a description.
    #[test]
    fn the_schema_describes_every_field() {
        fn check(at: &str, schema: &Value) {
            let Some(object) = schema.as_object() else { return };
            if let Some(fields) = object.get("properties").and_then(Value::as_object) {
                assert_eq!(object.get("additionalProperties"), Some(&json!(false)), "{at}");
                let required = object["required"].as_array().expect("a list").len();
                assert_eq!(required, fields.len(), "{at}: every field is always there");
                for (name, field) in fields {
                    assert!(field["description"].is_string(), "{at}/{name} has no description");
                }
            }
            for (name, inner) in object {
                check(&format!("{at}/{name}"), inner);
            }
        }
        check("", &schema());
    }

    #[test]
    fn a_decoded_histogram_gives_the_same_percentiles() {
        let output = written(&test_reports::movies());
        for row in output["actions"].as_array().expect("a list") {
            let histogram = decode(row["histograms"]["response_time"].as_str().expect("text"));
            let times = &row["response_time_us"];
            for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999)] {
                assert_eq!(times[name], json!(histogram.value_at_quantile(quantile)), "{name}");
            }
            assert_eq!(times["count"], json!(histogram.len()));
        }
    }

    fn decode(text: &str) -> Histogram<u64> {
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
        Deserializer::new().deserialize(&mut bytes.as_slice()).expect("V2 compressed")
    }
}
