//! The entry point: parses a script.

use std::sync::Arc;

use super::decode::decode;
use super::model::Script;
use super::yaml::read;
use crate::diagnostic::{Diagnostics, SourceText};

/// The mark that some Windows editors put before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Parses a script. A byte order mark is removed, so the spans of the result refer to its own
/// [`source`](Script::source).
///
/// # Errors
/// Returns all errors, in the order of their places, or only the first one if the text is not YAML.
pub fn parse(source: &Arc<SourceText>) -> Result<Script, Diagnostics> {
    let source = without_byte_order_mark(source);
    let root = read(&source)?;
    decode(&source, root)
}

/// Returns the text without a byte order mark, so that the columns of the first line are right.
fn without_byte_order_mark(source: &Arc<SourceText>) -> Arc<SourceText> {
    match source.text.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => Arc::new(SourceText { name: source.name.clone(), text: text.to_owned() }),
        None => Arc::clone(source),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::model::{CaptureSource, DataSource, steps};
    use super::*;

    fn parsed(text: &str) -> Script {
        parse(&Arc::new(SourceText { name: "a.yml".into(), text: text.into() })).expect("a script")
    }

    #[test]
    fn a_mark_moves_no_span() {
        let script = parsed("\u{feff}- name: ☃\n");
        let name = &steps(&script.steps)[0].name;
        assert_eq!(&script.source.text[name.span.start..name.span.end], "☃");
        assert_eq!(name.span.start, 8);
    }

    #[test]
    fn windows_line_ends_are_not_part_of_values() {
        let script = parsed("- name: a\r\n  url: x\r\n  json_body: |\r\n    {\r\n    }\r\n");
        assert_eq!(steps(&script.steps)[0].name.value, "a");
        let params = steps(&script.steps)[0].params.to_json();
        assert_eq!(params, serde_json::json!({"url": "x", "json_body": "{\n}\n"}));
    }

    #[test]
    fn the_long_form_is_read_without_defaults() {
        let script = parsed(
            "users: 5\nrps: 2\nramp_up: 1m\nheaders: {x-version: 1.10}\nlogin: {url: /auth}\n\
             data: {movies: [a], people: {file: p.csv}}\nplugins: {mqtt: ./m.wasm}\nsteps: [{name: 404}]\n",
        );
        let settings = &script.settings;
        assert_eq!(settings.load.spec.users.as_ref().map(|users| users.value), Some(5));
        assert_eq!(settings.load.rps.as_ref().map(|rps| rps.value), Some(2.0));
        assert_eq!(settings.load.spec.ramp_up.as_ref().map(|time| time.value), Some(Duration::from_secs(60)));
        assert!(settings.load.spec.duration.is_none() && settings.seed.is_none() && script.base_url.is_none());
        assert_eq!(settings.headers[0].value.value, "1.10");
        let login = script.login.expect("a login");
        assert_eq!((login.name.value.as_str(), login.action), ("login", None));
        assert!(matches!(&script.data[0].1.source, DataSource::Inline(_)));
        assert!(matches!(&script.data[1].1.source, DataSource::File(path) if path.value == "p.csv"));
        let (name, entry) = &script.plugins[0];
        let path = entry.source.as_ref().map(|source| source.value.as_str());
        assert_eq!((name.value.as_str(), path), ("mqtt", Some("./m.wasm")));
        assert_eq!(steps(&script.steps)[0].name.value, "404");
    }

    #[test]
    fn the_hosts_keys_stay_and_all_others_go_to_the_plugin() {
        let text = "- name: a\n  nmae: b\n  action: x\n  timeout: 2s\n  capture: {t: {header: etag}, u: {cookie: s}}\n  n: 1\n";
        let script = parsed(text);
        let step = steps(&script.steps)[0].clone();
        assert_eq!(step.params.to_json(), serde_json::json!({"nmae": "b", "n": 1}));
        assert_eq!(step.action.expect("an action").value, "x");
        assert_eq!(step.timeout.expect("a timeout").value, Duration::from_secs(2));
        let captures: Vec<_> = step.captures.iter().map(|one| (one.variable.value.as_str(), &one.from.value)).collect();
        let expected = [CaptureSource::Header("etag".into()), CaptureSource::Cookie("s".into())];
        assert_eq!(captures, [("t", &expected[0]), ("u", &expected[1])]);
        assert_eq!(&text[step.span.start..step.span.end], "name: a");
    }
}
