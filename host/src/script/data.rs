//! A data set: rows in the script, or `{file: path}`. The mapping form also has keys for the order of the rows.

use super::model::{AtEnd, DataSource, DataSpec, NamedText, Node, NodeValue, Order, Partition, SecretColumns, Spanned};
use super::value_reader::{DiagnosticText, ValueReader};
use crate::diagnostic::suggest;

/// The keys of the mapping form.
pub(super) const KEYS: [&str; 8] = ["file", "rows", "separator", "columns", "order", "at_end", "partition", "secret"];
/// The orders by their names.
pub(super) const ORDERS: [(&str, Order); 5] = [
    ("sequential", Order::Sequential),
    ("circular", Order::Circular),
    ("shuffle", Order::Shuffle),
    ("random", Order::Random),
    ("unique", Order::Unique),
];
/// The values of `at_end` by their names.
pub(super) const ENDS: [(&str, AtEnd); 3] = [("wrap", AtEnd::Wrap), ("stop", AtEnd::Stop), ("error", AtEnd::Error)];
/// The partitions by their names.
pub(super) const PARTITIONS: [(&str, Partition); 2] = [("none", Partition::None), ("user", Partition::User)];

/// The separators of a CSV file by their names.
pub(super) const SEPARATORS: [(&str, u8); 5] = [(",", b','), (";", b';'), ("|", b'|'), ("tab", b'\t'), ("\t", b'\t')];

/// Reads the value of one name under `data`.
pub(super) fn entry(reader: &mut ValueReader, name: &str, node: Node) -> Option<DataSpec> {
    match node.value {
        NodeValue::List(_) => Some(with_defaults(DataSource::Inline(node))),
        NodeValue::Map(_) => mapping(reader, name, node),
        NodeValue::String(ref path) => {
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

/// Returns a data set with no key but its source.
const fn with_defaults(source: DataSource) -> DataSpec {
    DataSpec {
        source,
        separator: None,
        columns: Vec::new(),
        order: None,
        at_end: None,
        partition: None,
        secret: SecretColumns::None,
    }
}

/// Reads `{file: path}` or `{rows: […]}` with the other keys.
fn mapping(reader: &mut ValueReader, name: &str, node: Node) -> Option<DataSpec> {
    let span = node.span;
    let (mut file, mut rows, mut separator, mut chosen) = (None, None, None, Vec::new());
    let (mut order, mut at_end, mut partition, mut secret) = (None, None, None, SecretColumns::None);
    for (key, node) in reader.mapping(name, node, "")? {
        match key.value.as_str() {
            "file" => file = Some((key.span, reader.non_empty_text("file", node, "rows.csv").map(DataSource::File))),
            "rows" => rows = Some((key.span, list(reader, node).map(DataSource::Inline))),
            "separator" => separator = keyword(reader, "separator", node, &SEPARATORS),
            "columns" => chosen = reader.text_entries("columns", node, "for example `columns: {city: $.address.city}`"),
            "order" => order = keyword(reader, "order", node, &ORDERS),
            "at_end" => at_end = keyword(reader, "at_end", node, &ENDS),
            "partition" => partition = keyword(reader, "partition", node, &PARTITIONS),
            "secret" => secret = columns(reader, node),
            _ => reader.unknown_key(&key, "a data set", &KEYS),
        }
    }
    if let (Some(_), Some((second, _))) = (&file, &rows) {
        let message = format!("data set `{name}` has both `file` and `rows`");
        let (code, label, help) = ("script::data-order", "second source", "remove one of them");
        reader.report(*second, &DiagnosticText { code, message: &message, label, help });
    }
    let of_files = [
        separator.as_ref().map(|separator| ("separator", separator.span)),
        chosen.first().map(|column: &NamedText| ("columns", column.name.span)),
    ];
    for (key, span) in of_files.into_iter().flatten().filter(|_| rows.is_some()) {
        let message = format!("`{key}` is of a file, and these rows stand in the script");
        let (code, label, help) = ("script::data-order", "has no meaning here", "remove it");
        reader.report(span, &DiagnosticText { code, message: &message, label, help });
    }
    check_order_and_end(reader, order.as_ref(), at_end.as_ref());
    let Some((_, source)) = file.or(rows) else {
        let message = format!("data set `{name}` has no `file`");
        let help = format!("write `{name}: {{file: rows.csv}}`, or a list of rows");
        let diagnostic =
            DiagnosticText { code: "script::missing-key", message: &message, label: "no `file`", help: &help };
        reader.report(span, &diagnostic);
        return None;
    };
    Some(DataSpec { source: source?, separator, columns: chosen, order, at_end, partition, secret })
}

/// Reads `rows`.
fn list(reader: &mut ValueReader, node: Node) -> Option<Node> {
    if matches!(node.value, NodeValue::List(_)) {
        return Some(node);
    }
    reader.wrong_type("rows", &node, "a list", "for example `rows: [alien, heat]`");
    None
}

/// Reads `secret`: `true` for all columns, or a list of them.
fn columns(reader: &mut ValueReader, node: Node) -> SecretColumns {
    match node.value {
        NodeValue::Bool(true) => SecretColumns::All,
        NodeValue::Bool(false) => SecretColumns::None,
        NodeValue::List(names) => SecretColumns::Named(
            names.into_iter().filter_map(|name| reader.non_empty_text("secret", name, "[password]")).collect(),
        ),
        _ => {
            let help = "for example `secret: [password]`, or `secret: true` for all columns";
            reader.wrong_type("secret", &node, "true or a list of columns", help);
            SecretColumns::None
        }
    }
}

/// Reads one of several words.
fn keyword<T: Copy>(reader: &mut ValueReader, key: &str, node: Node, words: &[(&str, T)]) -> Option<Spanned<T>> {
    let typed = reader.text(key, node, words[0].0)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == typed.value) {
        return Some(Spanned { value: *value, span: typed.span });
    }
    let known: Vec<_> = words.iter().map(|(word, _)| *word).filter(|word| !word.trim().is_empty()).collect();
    let help = match suggest(&typed.value, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`{key}` is one of `{}`", known.join("`, `")),
    };
    let message = format!("`{}` is not a valid `{key}` of a data set", typed.value);
    reader.report(
        typed.span,
        &DiagnosticText { code: "script::data-order", message: &message, label: "unknown", help: &help },
    );
    None
}

/// Rejects an `at_end` that never applies: some orders never end, and `unique` gives no row twice.
fn check_order_and_end(reader: &mut ValueReader, order: Option<&Spanned<Order>>, at_end: Option<&Spanned<AtEnd>>) {
    let (Some(order), Some(at_end)) = (order, at_end) else { return };
    let (message, help) = match (order.value, at_end.value) {
        (Order::Unique, AtEnd::Wrap) => (
            "`order: unique` gives no row twice, but `at_end: wrap` starts over",
            "write `at_end: stop` or `at_end: error`, or `order: sequential`",
        ),
        (Order::Circular, AtEnd::Stop | AtEnd::Error) => {
            ("`order: circular` has no end", "remove `at_end`, or write `order: sequential`")
        }
        (Order::Random, AtEnd::Stop | AtEnd::Error) => {
            ("`order: random` has no end", "remove `at_end`, or write `order: shuffle`")
        }
        _ => return,
    };
    reader.report(at_end.span, &DiagnosticText { code: "script::data-order", message, label: "never applies", help });
}
