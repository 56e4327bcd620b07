//! A data set: rows in the script, or `{file: path}`; in the mapping form also how they are dealt out.

use super::model::{AtEnd, DataEntry, DataSource, Node, Order, Partition, SecretColumns, Spanned, Value};
use super::values::{Mistake, Reader};
use crate::diagnostic::suggest;

/// The keys of the mapping form.
pub const KEYS: [&str; 6] = ["file", "rows", "order", "at_end", "partition", "secret"];
/// The orders by their names.
pub const ORDERS: [(&str, Order); 5] = [
    ("sequential", Order::Sequential),
    ("circular", Order::Circular),
    ("shuffle", Order::Shuffle),
    ("random", Order::Random),
    ("unique", Order::Unique),
];
/// What may happen at the end, by its name.
pub const ENDS: [(&str, AtEnd); 3] = [("wrap", AtEnd::Wrap), ("stop", AtEnd::Stop), ("error", AtEnd::Error)];
/// The partitions by their names.
pub const PARTITIONS: [(&str, Partition); 2] = [("none", Partition::None), ("user", Partition::User)];

/// Reads the value of one name under `data`.
pub fn entry(reader: &mut Reader, name: &str, node: Node) -> Option<DataEntry> {
    match node.value {
        Value::List(_) => Some(plain(DataSource::Inline(node))),
        Value::Map(_) => mapping(reader, name, node),
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

/// Rows about which nothing else is said.
const fn plain(source: DataSource) -> DataEntry {
    DataEntry { source, order: None, at_end: None, partition: None, secret: SecretColumns::None }
}

/// `{file: path}` or `{rows: […]}`, with what is said of their order.
fn mapping(reader: &mut Reader, name: &str, node: Node) -> Option<DataEntry> {
    let span = node.span;
    let (mut file, mut rows) = (None, None);
    let (mut order, mut at_end, mut partition, mut secret) = (None, None, None, SecretColumns::None);
    for (key, node) in reader.mapping(name, node, "")? {
        match key.value.as_str() {
            "file" => file = Some((key.span, reader.some_text("file", node, "rows.csv").map(DataSource::File))),
            "rows" => rows = Some((key.span, list(reader, node).map(DataSource::Inline))),
            "order" => order = one_of(reader, "order", node, &ORDERS),
            "at_end" => at_end = one_of(reader, "at_end", node, &ENDS),
            "partition" => partition = one_of(reader, "partition", node, &PARTITIONS),
            "secret" => secret = columns(reader, node),
            _ => reader.unknown_key(&key, "a data set", &KEYS),
        }
    }
    if let (Some(_), Some((second, _))) = (&file, &rows) {
        let message = format!("data set `{name}` has both `file` and `rows`");
        let (code, label, help) = ("script::data-order", "rows twice", "leave one of them out");
        reader.report(*second, &Mistake { code, message: &message, label, help });
    }
    contradiction(reader, order.as_ref(), at_end.as_ref());
    let Some((_, source)) = file.or(rows) else {
        let message = format!("data set `{name}` has no `file`");
        let help = format!("write `{name}: {{file: rows.csv}}`, or a list of rows");
        let mistake = Mistake { code: "script::missing-key", message: &message, label: "no `file`", help: &help };
        reader.report(span, &mistake);
        return None;
    };
    Some(DataEntry { source: source?, order, at_end, partition, secret })
}

/// `rows`.
fn list(reader: &mut Reader, node: Node) -> Option<Node> {
    if matches!(node.value, Value::List(_)) {
        return Some(node);
    }
    reader.wrong_type("rows", &node, "a list", "for example `rows: [alien, heat]`");
    None
}

/// `secret`: `true` for all columns, or a list of them.
fn columns(reader: &mut Reader, node: Node) -> SecretColumns {
    match node.value {
        Value::Bool(true) => SecretColumns::All,
        Value::Bool(false) => SecretColumns::None,
        Value::List(names) => SecretColumns::These(
            names.into_iter().filter_map(|name| reader.some_text("secret", name, "[password]")).collect(),
        ),
        _ => {
            let help = "for example `secret: [password]`, or `secret: true` for all columns";
            reader.wrong_type("secret", &node, "true or a list of columns", help);
            SecretColumns::None
        }
    }
}

/// One of a few words.
fn one_of<T: Copy>(reader: &mut Reader, key: &str, node: Node, words: &[(&str, T)]) -> Option<Spanned<T>> {
    let typed = reader.text(key, node, words[0].0)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == typed.value) {
        return Some(Spanned { value: *value, span: typed.span });
    }
    let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    let help = match suggest(&typed.value, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`{key}` is one of `{}`", known.join("`, `")),
    };
    let message = format!("`{}` is no `{key}` of a data set", typed.value);
    reader
        .report(typed.span, &Mistake { code: "script::data-order", message: &message, label: "unknown", help: &help });
    None
}

/// Orders that never end cannot end otherwise, and one that gives no row twice cannot start over.
fn contradiction(reader: &mut Reader, order: Option<&Spanned<Order>>, at_end: Option<&Spanned<AtEnd>>) {
    let (Some(order), Some(at_end)) = (order, at_end) else { return };
    let (message, help) = match (order.value, at_end.value) {
        (Order::Unique, AtEnd::Wrap) => (
            "`order: unique` gives no row twice, and `at_end: wrap` starts over",
            "write `at_end: stop` or `at_end: error`, or `order: sequential`",
        ),
        (Order::Circular, AtEnd::Stop | AtEnd::Error) => {
            ("`order: circular` has no end", "leave `at_end` out, or write `order: sequential`")
        }
        (Order::Random, AtEnd::Stop | AtEnd::Error) => {
            ("`order: random` has no end", "leave `at_end` out, or write `order: shuffle`")
        }
        _ => return,
    };
    reader.report(at_end.span, &Mistake { code: "script::data-order", message, label: "never happens", help });
}
