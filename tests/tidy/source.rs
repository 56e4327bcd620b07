//! The repository's files as the rules read them: as text, and as Rust code without comments, literals and tests. `syn`
//! reads the code, so that a rule is about items and tokens, not about characters.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, Meta};

/// A file that git tracks or is about to track.
pub(crate) struct File {
    /// The path from the repository's root, with `/`.
    pub(crate) path: String,
    /// The size in bytes.
    pub(crate) size: usize,
    /// The text; empty for a file that is not UTF-8.
    pub(crate) text: String,
}

/// Returns the files that git tracks and the new ones that it does not ignore.
///
/// # Panics
/// Git does not answer.
pub(crate) fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut git = Command::new("git");
    // The tests may run as another user than the one who cloned.
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(&root).output().expect("git starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("paths are UTF-8");
    // A file that was deleted and not yet committed is listed, but cannot be read.
    let read = |path: &str| Some((path.to_owned(), fs::read(root.join(path)).ok()?));
    let files = names.split_terminator('\0').filter_map(read);
    files
        .map(|(path, bytes)| File { path, size: bytes.len(), text: String::from_utf8(bytes).unwrap_or_default() })
        .collect()
}

/// Returns the Rust files below these folders.
pub(crate) fn rust<'f>(files: &'f [File], folders: &'static [&str]) -> impl Iterator<Item = &'f File> {
    let below = move |file: &&File| folders.iter().any(|folder| file.path.starts_with(folder));
    files.iter().filter(|file| file.path.ends_with(".rs")).filter(below)
}

/// One Rust file, read by `syn`.
pub(crate) struct Source {
    /// The path from the repository's root, with `/`.
    pub(crate) path: String,
    /// The file as written.
    pub(crate) text: String,
    /// The items.
    pub(crate) tree: syn::File,
    pub(crate) tokens: TokenStream,
}

impl Source {
    /// Reads a file.
    ///
    /// # Panics
    /// It is not Rust.
    pub(crate) fn read(file: &File) -> Self {
        let wrong = |error: &dyn std::fmt::Display| -> ! { panic!("{}: {error}", file.path) };
        let tokens: TokenStream = file.text.parse().unwrap_or_else(|error| wrong(&error));
        let tree = syn::parse2(tokens.clone()).unwrap_or_else(|error| wrong(&error));
        Self { path: file.path.clone(), text: file.text.clone(), tree, tokens }
    }

    /// Returns the text with comments and literals blanked out; line breaks stay.
    pub(crate) fn code(&self) -> String {
        self.keep(&|range| !self.is_comment(range))
    }

    /// Returns [`Self::code`] without the items below a `#[cfg(test)]`.
    pub(crate) fn product(&self) -> String {
        let tests = self.tests();
        self.keep(&|range| !self.is_comment(range) && !tests.ranges.iter().any(|test| test.contains(&range.start)))
    }

    /// Returns the files' paths, without `.rs` or `/mod.rs`, that `#[cfg(test)] mod name;` leads to.
    pub(crate) fn test_modules(&self) -> impl Iterator<Item = String> {
        let folder = folder(&self.path);
        self.tests().modules.into_iter().map(move |module| format!("{folder}/{module}"))
    }

    fn tests(&self) -> Tests {
        let mut tests = Tests::default();
        tests.visit_file(&self.tree);
        tests
    }

    /// Doc comments are tokens, all of which lie where the comment does.
    pub(crate) fn is_comment(&self, range: &Range<usize>) -> bool {
        ["//", "/*"].iter().any(|mark| self.text[range.clone()].starts_with(mark))
    }

    fn keep(&self, wanted: &dyn Fn(&Range<usize>) -> bool) -> String {
        let mut out: Vec<u8> = self.text.bytes().map(|byte| if byte == b'\n' { byte } else { b' ' }).collect();
        for range in tokens(&self.tokens).filter(|(_, literal)| !literal).map(|(range, _)| range).filter(wanted) {
            out[range.clone()].copy_from_slice(&self.text.as_bytes()[range]);
        }
        String::from_utf8(out).expect("tokens are whole characters")
    }
}

/// Returns the folder of a module's children: `a/b` for `a/b.rs` and `a/b/mod.rs`, `a/src` for `a/src/lib.rs`.
pub(crate) fn folder(path: &str) -> &str {
    let roots = ["/mod.rs", "/lib.rs", "/main.rs", ".rs"];
    roots.iter().find_map(|root| path.strip_suffix(root)).unwrap_or(path)
}

/// Returns the range of each token in bytes, and `true` for a literal.
pub(crate) fn tokens(stream: &TokenStream) -> impl Iterator<Item = (Range<usize>, bool)> {
    let mut found = Vec::new();
    for token in stream.clone() {
        match token {
            TokenTree::Group(group) => {
                found.push((group.span_open().byte_range(), false));
                found.extend(tokens(&group.stream()));
                found.push((group.span_close().byte_range(), false));
            }
            TokenTree::Literal(literal) => found.push((literal.span().byte_range(), true)),
            token => found.push((token.span().byte_range(), false)),
        }
    }
    found.into_iter()
}

/// The items that only tests compile.
#[derive(Default)]
struct Tests {
    ranges: Vec<Range<usize>>,
    modules: Vec<String>,
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            return visit::visit_item(self, item);
        }
        self.ranges.push(item.span().byte_range());
        if let Item::Mod(module) = item
            && module.content.is_none()
        {
            self.modules.push(module.ident.to_string());
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if is_test(&function.attrs) {
            self.ranges.push(function.span().byte_range());
        }
    }
}

/// Returns `true` if `#[cfg(test)]` is among the attributes.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

/// Returns the attributes of an item of any kind.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the Rust files below these folders that are not tests, read by `syn`.
pub(crate) fn sources(files: &[File], folders: &'static [&str]) -> Vec<Source> {
    let all: Vec<_> = rust(files, folders).map(Source::read).collect();
    let tests: BTreeSet<_> = all.iter().flat_map(Source::test_modules).collect();
    let is_test = |path: &str| {
        let below = |test: &String| path.strip_prefix(test.as_str());
        tests.iter().any(|test| below(test).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')))
    };
    all.into_iter().filter(|source| !is_test(&source.path)).collect()
}

/// Returns the paths of [`sources`], each with [`Source::product`].
pub(crate) fn product(files: &[File], folders: &'static [&str]) -> Vec<(String, String)> {
    sources(files, folders).into_iter().map(|source| (source.path.clone(), source.product())).collect()
}
