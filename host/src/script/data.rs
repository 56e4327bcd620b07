//! Where a data set comes from: rows in the script, or `{file: path}`.

use super::model::{DataSource, Node, Value};
use super::values::{Mistake, Reader};

/// Reads the value of one name under `data`.
pub fn source(reader: &mut Reader, name: &str, node: Node) -> Option<DataSource> {
    match node.value {
        Value::List(_) => Some(DataSource::Inline(node)),
        Value::Map(_) => file(reader, name, node),
        Value::String(ref path) => {
            let help = format!("if it is a file, write `{name}: {{file: {path}}}`");
            reader.wrong_type(name, &node, "a list or a file", &help);
            None
        }
        _ => {
            reader.wrong_type(name, &node, "a list or a file", &format!("for example `{name}: {{file: rows.csv}}`"));
            None
        }
    }
}

/// `{file: path}`.
fn file(reader: &mut Reader, name: &str, node: Node) -> Option<DataSource> {
    let span = node.span;
    let mut path = None;
    let mut has_file = false;
    for (key, node) in reader.mapping(name, node, "")? {
        if key.value == "file" {
            has_file = true;
            path = reader.some_text("file", node, "rows.csv");
        } else {
            reader.unknown_key(&key, "a data set", &["file"]);
        }
    }
    if !has_file {
        let message = format!("data set `{name}` has no `file`");
        let help = format!("write `{name}: {{file: rows.csv}}`, or a list of rows");
        reader
            .report(span, &Mistake { code: "script::missing-key", message: &message, label: "no `file`", help: &help });
    }
    path.map(DataSource::File)
}
