//! The host's own keys as a JSON Schema, for editors. It is written by hand, for its descriptions; the parser does not
//! read it and has its own messages. The caller adds the parameters of actions.

/// The schema of a script, without the parameters of steps.
pub const SCHEMA: &str = include_str!("schema.json");

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{block, checks, data, decode, link, load, plugin, scenario, step, thresholds};
    use super::SCHEMA;
    use crate::script::repetition;

    #[test]
    fn the_schema_has_the_keys_that_the_parser_knows() {
        let with_load = |keys: &[&'static str]| load::KEYS.iter().chain(keys).copied().collect::<Vec<_>>();
        let (script, scenario) = (with_load(&decode::KEYS), with_load(&scenario::KEYS));
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        for (place, keys) in [
            ("/$defs/script", &script[..]),
            ("/$defs/scenario", &scenario),
            ("/$defs/step", &step::KEYS),
            ("/$defs/login", &step::LOGIN_KEYS),
            ("/$defs/block", &block::KEYS),
            ("/$defs/branch", &block::BRANCH_KEYS),
            ("/$defs/link_choice", &link::CHOICE_KEYS),
            ("/$defs/link_option", &link::OPTION_KEYS),
            ("/$defs/retry", &repetition::RETRY_KEYS),
            ("/$defs/capture", &step::CAPTURE_KEYS),
            ("/$defs/plugin/else", &plugin::KEYS),
            ("/$defs/limits", &plugin::LIMIT_KEYS),
            ("/$defs/threshold/else", &thresholds::KEYS),
            ("/$defs/check", &checks::KINDS),
            ("/$defs/header_check", &checks::HEADER_KEYS),
            ("/$defs/body_check", &checks::BODY_KEYS),
            ("/$defs/json_check", &checks::JSON_KEYS),
            ("/$defs/data/else", &data::KEYS),
        ] {
            let properties = schema.pointer(place).and_then(|schema| schema["properties"].as_object()).unwrap();
            assert_eq!(properties.keys().map(String::as_str).collect::<Vec<_>>(), keys, "{place}");
        }
    }

    #[test]
    fn the_schema_has_the_words_that_the_parser_knows() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        for (key, words) in [
            ("order", data::ORDERS.map(|(word, _)| word).to_vec()),
            ("at_end", data::ENDS.map(|(word, _)| word).to_vec()),
            ("partition", data::PARTITIONS.map(|(word, _)| word).to_vec()),
        ] {
            let known = &schema["$defs"]["data"]["else"]["properties"][key]["enum"];
            assert_eq!(*known, serde_json::json!(words), "{key}");
        }
        for (key, words) in [
            ("cookies", load::COOKIES.map(|(word, _)| word).to_vec()),
            ("connections", load::CONNECTIONS.map(|(word, _)| word).to_vec()),
        ] {
            for place in ["script", "scenario"] {
                let known = &schema["$defs"][place]["properties"][key]["enum"];
                assert_eq!(*known, serde_json::json!(words), "{key} of {place}");
            }
        }
    }
}
