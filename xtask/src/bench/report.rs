//! Single figures of the load runner's JSON report. They are looked for by name, in the order in which the report's
//! schema has them, so that no parser is needed.

/// The numbers under a key: one, or those of a list. `path` names the keys on the way, each after the one before it.
pub fn numbers(json: &str, path: &[&str]) -> Option<Vec<f64>> {
    let rest = under(json, path)?;
    let (list, end): (_, &[char]) = match rest.strip_prefix('[') {
        Some(list) => (list, &[']']),
        None => (rest, &[',', '}']),
    };
    list[..list.find(end)?].split(',').map(|number| number.trim().parse().ok()).collect()
}

/// Whether a key's value is true.
pub fn flag(json: &str, path: &[&str]) -> Option<bool> {
    let rest = under(json, path)?;
    rest.starts_with("true").then_some(true).or_else(|| rest.starts_with("false").then_some(false))
}

/// The texts of the list under a key. None of them holds a quotation mark.
pub fn texts(json: &str, path: &[&str]) -> Option<Vec<String>> {
    let list = under(json, path)?.strip_prefix('[')?;
    Some(list[..list.find(']')?].split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// The object of numbers under a key, as it is written but for its blanks.
pub fn object(json: &str, path: &[&str]) -> Option<String> {
    let object = under(json, path)?.strip_prefix('{')?;
    Some(object[..object.find('}')?].split_whitespace().collect())
}

/// What stands behind the last of some keys.
fn under<'j>(json: &'j str, path: &[&str]) -> Option<&'j str> {
    let mut rest = json;
    for key in path {
        let quoted = format!("\"{key}\":");
        rest = &rest[rest.find(&quoted)? + quoted.len()..];
    }
    Some(rest.trim_start())
}

/// The number under a key.
pub fn number(json: &str, path: &[&str]) -> Option<f64> {
    numbers(json, path)?.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"totals":{"requests":{"total":7,"err":0}},"series":{"users_active":[1, 2,3]},
        "statuses": {"200": 6, "404":1},
        "generator":{"bottleneck":true,"reasons":["too late, by far","too slow"],"other":false,"none":[],
        "workers":[{"cpu_us":5}],"start_delay_us":{"p50":1,"p99":2.5}}}"#;

    #[test]
    fn a_number_is_found_under_its_keys() {
        assert_eq!(number(REPORT, &["totals", "requests", "err"]), Some(0.0));
        assert_eq!(number(REPORT, &["generator", "start_delay_us", "p99"]), Some(2.5));
        assert_eq!(numbers(REPORT, &["users_active"]), Some(vec![1.0, 2.0, 3.0]));
    }

    #[test]
    fn truths_texts_and_objects_are_found_likewise() {
        assert_eq!(flag(REPORT, &["generator", "bottleneck"]), Some(true));
        assert_eq!(flag(REPORT, &["generator", "other"]), Some(false));
        assert_eq!(flag(REPORT, &["totals"]), None);
        assert_eq!(texts(REPORT, &["reasons"]).unwrap(), ["too late, by far", "too slow"]);
        assert_eq!(texts(REPORT, &["none"]).unwrap(), [""; 0]);
        assert_eq!(object(REPORT, &["statuses"]).unwrap(), "\"200\":6,\"404\":1");
        assert_eq!(object(REPORT, &["reasons"]), None);
    }

    #[test]
    fn what_is_not_there_or_no_number_is_none() {
        assert_eq!(number(REPORT, &["generator", "p98"]), None);
        assert_eq!(number(REPORT, &["generator", "totals"]), None, "keys stand in order");
        assert_eq!(number(REPORT, &["totals"]), None);
        assert_eq!(number("{\"a\":", &["a"]), None);
    }
}
