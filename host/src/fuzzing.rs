//! The parsers of what comes from elsewhere, for the fuzz targets of `tests/fuzz`: each takes any bytes, and must
//! neither panic nor take more than linear time and memory. Nothing else uses this module.

use std::sync::Arc;

use crate::cli::LatencyView;
use crate::diagnostic::{Diagnostics, SourceText, render};
use crate::expression::Expression;
use crate::plan::env_file;
use crate::plugin::load::policy::parse_allowed_hosts;
use crate::plugin::load::schema::ParamsSchema;
use crate::plugin::load::source::PluginSource;
use crate::rehearsal::cases::parse_cases;
use crate::report::read;
use crate::template::{CompileScope, Environment, Template, VariableNames};
use crate::{control, data, http, json_text, report, script};

/// A parser and its name.
#[derive(Clone, Copy, Debug)]
pub struct FuzzTarget {
    /// The name, in lower case with hyphens.
    pub name: &'static str,
    /// Parses bytes, and shows what a person would be shown of the result.
    pub run: fn(&[u8]),
}

/// Every parser of the host that reads what comes from elsewhere.
pub const TARGETS: &[FuzzTarget] = &[
    FuzzTarget { name: "script", run: script },
    FuzzTarget { name: "template", run: template },
    FuzzTarget { name: "condition", run: condition },
    FuzzTarget { name: "cases", run: cases },
    FuzzTarget { name: "report", run: report },
    FuzzTarget { name: "control", run: control },
    FuzzTarget { name: "data", run: data::parse_as_every_format },
    FuzzTarget { name: "env-file", run: env_file },
    FuzzTarget { name: "params-schema", run: params_schema },
    FuzzTarget { name: "plugin-source", run: plugin_source },
    FuzzTarget { name: "json-path", run: json_path },
    FuzzTarget { name: "reply-head", run: http::fuzzing::reply_head },
    FuzzTarget { name: "reply-content", run: http::fuzzing::reply_content },
    FuzzTarget { name: "cookie", run: http::fuzzing::cookie },
];

fn source(bytes: &[u8]) -> Option<Arc<SourceText>> {
    Some(Arc::new(SourceText { name: "fuzz".into(), text: str::from_utf8(bytes).ok()?.into() }))
}

/// Renders errors as a person sees them, with their excerpts.
fn show<T>(result: Result<T, Diagnostics>) {
    if let Err(diagnostics) = result {
        let _ = render(&diagnostics, false);
    }
}

fn script(bytes: &[u8]) {
    if let Some(source) = source(bytes) {
        show(script::parse(&source));
    }
}

fn cases(bytes: &[u8]) {
    if let Some(source) = source(bytes) {
        show(parse_cases(&source));
    }
}

fn template(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (data, environment, mut variables) =
        (data::DataSets::default(), Environment::default(), VariableNames::default());
    let mut scope = CompileScope { data: &data, variables: &mut variables, environment: &environment };
    if let Ok(template) = Template::compile(text, &mut scope) {
        let _ = template.sample(&data);
    }
}

fn condition(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = Expression::compile(text, &mut VariableNames::default());
    }
}

fn report(bytes: &[u8]) {
    if let Some(report) = str::from_utf8(bytes).ok().and_then(|text| read::parse(text).ok()) {
        let _ = report::table(&report, LatencyView::default());
    }
}

fn control(bytes: &[u8]) {
    if let Ok(line) = str::from_utf8(bytes)
        && let Ok(request) = control::decode_request(line)
    {
        let again = control::decode_request(&control::encode_request(&request));
        assert_eq!(again.as_ref(), Ok(&request), "a request is read as it was written");
    }
}

fn env_file(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = env_file::is_valid(text);
    }
}

fn params_schema(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    // The parameters follow after a zero.
    let (schema, params) = text.split_once('\0').unwrap_or((text, "{}"));
    if let (Ok(schema), Ok(params)) = (ParamsSchema::parse(schema), serde_json::from_str(params)) {
        let _ = schema.violations(&params);
    }
}

fn plugin_source(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = PluginSource::parse(text);
        show(parse_allowed_hosts(&[text.to_owned()]));
    }
}

/// The path ends at the first line break, the document follows.
fn json_path(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (path, body) = bytes.split_at(end);
    if let Some(path) = str::from_utf8(path).ok().and_then(|path| serde_json_path::JsonPath::parse(path).ok()) {
        let _ = json_text::find(&path, body);
    }
}
