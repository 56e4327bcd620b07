//! Single figures of the load runner's JSON report. They are looked for by name, in the order in which the report's
//! schema has them, so that no parser is needed.

/// The numbers under a key: one, or those of a list. `path` names the keys on the way, each after the one before it.
pub fn numbers(json: &str, path: &[&str]) -> Option<Vec<f64>> {
    let mut rest = json;
    for key in path {
        let quoted = format!("\"{key}\":");
        rest = &rest[rest.find(&quoted)? + quoted.len()..];
    }
    let (list, end): (_, &[char]) = match rest.trim_start().strip_prefix('[') {
        Some(list) => (list, &[']']),
        None => (rest, &[',', '}']),
    };
    list[..list.find(end)?].split(',').map(|number| number.trim().parse().ok()).collect()
}

/// The number under a key.
pub fn number(json: &str, path: &[&str]) -> Option<f64> {
    numbers(json, path)?.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"totals":{"requests":{"total":7,"err":0}},"series":{"users_active":[1, 2,3]},
        "generator":{"workers":[{"cpu_us":5}],"start_delay_us":{"p50":1,"p99":2.5}}}"#;

    #[test]
    fn a_number_is_found_under_its_keys() {
        assert_eq!(number(REPORT, &["totals", "requests", "err"]), Some(0.0));
        assert_eq!(number(REPORT, &["generator", "start_delay_us", "p99"]), Some(2.5));
        assert_eq!(numbers(REPORT, &["users_active"]), Some(vec![1.0, 2.0, 3.0]));
    }

    #[test]
    fn what_is_not_there_or_no_number_is_none() {
        assert_eq!(number(REPORT, &["generator", "p98"]), None);
        assert_eq!(number(REPORT, &["generator", "totals"]), None, "keys stand in order");
        assert_eq!(number(REPORT, &["totals"]), None);
        assert_eq!(number("{\"a\":", &["a"]), None);
    }
}
