//! Valid and invalid thresholds.

use super::*;

#[test]
fn selectors_are_a_metric_and_tags() {
    for (text, metric, tags) in [
        ("http_duration", "http_duration", &[][..]),
        ("http_duration{step:Catalog}", "http_duration", &[("step", "Catalog")]),
        (
            " http_failed { step : Check out , action:http } ",
            "http_failed",
            &[("step", "Check out"), ("action", "http")],
        ),
        ("checks{check:\"a, b}\"}", "checks", &[("check", "a, b}")]),
        ("group.Check out.duration", "group.Check out.duration", &[]),
    ] {
        let read = parse_selector(text).expect(text);
        let read_tags: Vec<_> =
            read.tags.iter().map(|tag| (tag.name.value.as_str(), tag.value.value.as_str())).collect();
        assert_eq!((read.metric.value.as_str(), &read_tags[..]), (metric, tags), "{text}");
        assert_eq!(&text[read.metric.span.start..read.metric.span.end], metric);
    }
}

#[test]
fn criteria_are_read_as_k6_users_write_them() {
    let (less, at_least) = (Comparison::Less, Comparison::GreaterOrEqual);
    for (text, aggregation, comparison, number, unit, window) in [
        ("p(95)<200", Aggregation::Percentile(95.0), less, 200.0, None, None),
        ("p(99.9) < 1.5s", Aggregation::Percentile(99.9), less, 1.5, Some((Quantity::Time, 1e6)), None),
        ("rate<1%", Aggregation::Rate, less, 1.0, Some((Quantity::Share, 0.01)), None),
        ("count >= 100", Aggregation::Count, at_least, 100.0, None, None),
        ("med==2ms for 30s", Aggregation::Med, Comparison::Equal, 2.0, Some((Quantity::Time, 1e3)), Some(30)),
        ("rate<0.01 for 1m", Aggregation::Rate, less, 0.01, None, Some(60)),
        ("max<=10 KiB", Aggregation::Max, Comparison::LessOrEqual, 10.0, Some((Quantity::Bytes, 1024.0)), None),
        ("value!=-1", Aggregation::Value, Comparison::NotEqual, -1.0, None, None),
    ] {
        let read = parse_criterion(text).expect(text);
        assert_eq!((read.aggregation.value, read.comparison), (aggregation, comparison), "{text}");
        let unit = unit.map(|(quantity, factor)| Unit { quantity, factor });
        assert_eq!(read.limit.value, Limit { number, unit }, "{text}");
        assert_eq!(read.window.map(|window| window.value.as_secs()), window, "{text}");
    }
}

#[test]
fn errors_are_shown_where_they_stand() {
    for (text, at, message) in [
        ("p95<200ms", "p95", "unknown aggregation `p95`"),
        ("p(101)<1", "p(101)", "unknown aggregation `p(101)`"),
        ("mean<1", "mean", "unknown aggregation `mean`"),
        ("<5ms", "", "a threshold begins with an aggregation, such as `p(95)`"),
        ("rate=0.1", "=", "unknown comparison `=`"),
        ("rate", "", "a comparison is missing"),
        ("rate<fast", "fast", "the limit must be a number"),
        ("rate<1.2.3", "1.2.3", "the limit must be a number"),
        ("avg<5parsecs", "parsecs", "`parsecs` is not a unit"),
        ("avg<5ms for ever", "ever", "`for` is not a duration"),
        ("avg<5ms for 100ms", "100ms", "`for` must be whole seconds, from 1s to 1h"),
        ("avg<5ms && max<9ms", "&& max<9ms", "unexpected text after the end"),
    ] {
        let error = parse_criterion(text).expect_err(text);
        assert_eq!((&text[error.range], error.message.as_str()), (at, message), "{text}");
    }
    for (text, at, message) in [
        ("", "", "a threshold needs a metric"),
        ("m{", "", "a tag must be `name:value`"),
        ("m{step}", "step", "a tag must be `name:value`"),
        ("m{step:}", "", "a tag must be `name:value`"),
        ("m{step:a", "", "the tags of a metric end with `}`"),
        ("m{step:'a}", "'a}", "a quote is not closed"),
        ("m{step:a} x", "x", "unexpected text after the end"),
    ] {
        let error = parse_selector(text).expect_err(text);
        assert_eq!((&text[error.range], error.message.as_str()), (at, message), "{text}");
    }
}

#[test]
fn aggregations_are_shown_as_they_are_written() {
    for text in ["p(95)", "p(99.9)", "avg", "med", "count", "value"] {
        assert_eq!(parse_criterion(&format!("{text}<1")).expect(text).aggregation.value.to_string(), text);
    }
}
