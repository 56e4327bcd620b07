//! The names of types, one for each thing, and of parameters, each with a name of its own.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{FnArg, Item, Signature, Type};

use crate::offences::none;
use crate::source::{File, Source, attributes, files, is_test, sources};

/// The product's code.
const PRODUCT: &[&str] = &["host/", "plugin-sdk/src/", "plugins/", "xtask/"];

/// Folders below these whose code is not the product's.
const OUTSIDE: [&str; 5] = ["host/benches/", "host/fleet/tests/", "host/site/tests/", "host/templates/", "host/tests/"];

/// Names of types that are defined more than once in a part of the product, ten at most, each with its part and a
/// reason.
const TWICE: &[(&str, &str, &str)] = &[
    ("host", "ControlSocket", "one for systems with Unix sockets, one for others"),
    ("host", "TerminalKeys", "one for systems with terminals that can be set, one for others"),
    ("plugin-sdk", "Read", "public: of a streamed exchange, and of a socket"),
    ("plugin-sdk", "Write", "public: of a streamed exchange, and of a socket"),
    ("plugin-sdk", "Reply", "public: a received reply, and one that a test scripts"),
    ("plugin-sdk", "Operation", "public: what an action awaits, and the fake host's side of it"),
    ("plugin-sdk", "Socket", "public: what an action reads and writes, and the fake host's side of it"),
    ("plugin-sdk", "Step", "a step of the executor, and a step of a test's script"),
    ("plugin-sdk", "User", "public: the user of an action, and the fake host's side of it"),
    ("plugins/script", "Params", "each of its three actions has parameters"),
];

/// The types and the functions of a file.
#[derive(Default)]
struct Reader {
    types: Vec<(String, usize)>,
    tuples: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            return;
        }
        let name = match item {
            Item::Enum(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        self.types.extend(name.map(|name| (name.to_string(), name.span().start().line)));
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast Signature) {
        for input in &signature.inputs {
            if let FnArg::Typed(input) = input
                && is_tuple(&input.ty)
            {
                self.tuples.push((signature.ident.to_string(), signature.ident.span().start().line));
            }
        }
        visit::visit_signature(self, signature);
    }
}

/// Returns `true` for a tuple of two or more, or a reference to one.
fn is_tuple(kind: &Type) -> bool {
    match kind {
        Type::Tuple(tuple) => tuple.elems.len() > 1,
        Type::Reference(reference) => is_tuple(&reference.elem),
        Type::Paren(inner) => is_tuple(&inner.elem),
        _ => false,
    }
}

fn read(source: &Source) -> Reader {
    let mut reader = Reader::default();
    reader.visit_file(&source.tree);
    reader
}

/// Returns the part of the product that a file belongs to. Parts are looked at one by one, since no reader meets the
/// names of two of them together: the host with its crates, the SDK, each plugin, and the project's commands. The two
/// sides of the contract name the same things alike.
fn part(path: &str) -> String {
    let length = if path.starts_with("plugins/") { 2 } else { 1 };
    path.split('/').take(length).collect::<Vec<_>>().join("/")
}

/// Returns the code of the product that is not a test's.
fn product(files: &[File]) -> Vec<Source> {
    let product = sources(files, PRODUCT);
    product.into_iter().filter(|source| !OUTSIDE.iter().any(|folder| source.path.starts_with(folder))).collect()
}

/// Returns the places of names that two types of a part or more have and that are not allowed to, and allowed names
/// that are defined once at most.
fn twice(sources: &[Source], allowed: &[(&str, &str, &str)]) -> Vec<String> {
    let mut names = BTreeMap::<(String, String), Vec<String>>::new();
    for source in sources {
        for (name, line) in read(source).types {
            names.entry((part(&source.path), name)).or_default().push(format!("{}:{line}", source.path));
        }
    }
    names.retain(|_, places| places.len() > 1);
    let is_allowed = |key: &(String, String)| allowed.iter().any(|(part, name, _)| key.0 == *part && key.1 == *name);
    let wrong = names.iter().filter(|(key, _)| !is_allowed(key));
    let repeated = wrong.map(|((_, name), places)| format!("{}: `{name}` ({})", places[0], places.join(", ")));
    let idle = allowed.iter().filter(|(part, name, _)| !names.contains_key(&((*part).into(), (*name).into())));
    repeated.chain(idle.map(|(part, name, _)| format!("TWICE: {part} defines `{name}` once at most"))).collect()
}

fn tuples(sources: &[Source]) -> Vec<String> {
    let functions = |source: &Source| {
        let describe = |(name, line): &(String, usize)| format!("{}:{line}: `{name}`", source.path);
        read(source).tuples.iter().map(describe).collect::<Vec<_>>()
    };
    sources.iter().flat_map(functions).collect()
}

#[test]
fn a_name_means_one_type() {
    const { assert!(TWICE.len() <= 10) };
    none("no two types have one name", twice(&product(&files()), TWICE));
}

#[test]
fn parameters_are_not_packed_into_tuples() {
    none("a function's parameters have names", tuples(&product(&files())));
}

#[test]
fn planted_names_are_found() {
    let source = |path: &str, text: &str| Source::read(&File { path: path.into(), size: 0, text: text.into() });
    let tests = "#[cfg(test)] mod tests { struct B; }";
    let sources = [
        source("host/a.rs", &format!("struct A; {tests} fn f(a: &(u8, u8)) {{}} fn g(a: &[(u8, u8)]) {{}}")),
        source("host/b.rs", "mod b { pub enum A {} } type B = u8; impl B { fn h((a, b): (u8, u8)) { |(a, b)| {}; } }"),
        source("plugins/c/a.rs", "trait A {}"),
    ];
    assert_eq!(twice(&sources, &[]), ["host/a.rs:1: `A` (host/a.rs:1, host/b.rs:1)"]);
    assert_eq!(
        twice(&sources, &[("host", "A", "a reason"), ("plugins/c", "A", "no reason")]),
        ["TWICE: plugins/c defines `A` once at most"]
    );
    assert_eq!(tuples(&sources), ["host/a.rs:1: `f`", "host/b.rs:1: `h`"]);
}
