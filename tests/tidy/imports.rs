//! The module trees of the host's crates and every import in them: `use` declarations, and paths in code, attributes
//! and macros. Doc links are not imports. Items below `#[cfg(test)]` are left out: tests may look wherever they like.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, ImplItemFn, Item, ItemMod, ItemUse, Meta, UseTree, Visibility};

use crate::source::{File, Source, attributes, folder, is_test};

/// The crate whose top-level modules are the host's; every other crate counts as one module.
pub(crate) const HOST: &str = "stampede_shooter";

/// The beginning of the other crates' names.
const FAMILY: &str = "stampede_";

/// Folders below `host/` with packages that are not part of the host.
const OUTSIDE: [&str; 3] = ["host/benches/", "host/components/", "host/templates/"];

/// The index of a module in [`Tree::modules`].
pub(crate) type Id = usize;

/// All modules of all crates.
#[derive(Default)]
pub(crate) struct Tree {
    /// In the order of their declaration; parents come first.
    pub(crate) modules: Vec<Module>,
    /// The root modules, by the names of their crates.
    crates: BTreeMap<String, Id>,
}

/// One module: a file, or a block inside a file.
#[derive(Default)]
pub(crate) struct Module {
    /// The crate's name and the names of the modules down to this one.
    pub(crate) path: Vec<String>,
    /// The file that it is in.
    pub(crate) file: String,
    /// Its imports.
    pub(crate) imports: Vec<Import>,
    /// `true` if it has items besides modules and imports.
    pub(crate) has_code: bool,
    parent: Option<Id>,
    children: BTreeMap<String, Id>,
    items: BTreeSet<String>,
    /// Every name that its code mentions.
    mentioned: BTreeSet<String>,
}

/// A path that leads to something, perhaps outside of the module.
#[derive(Clone)]
pub(crate) struct Import {
    /// The path as written, without braces, globs and `as`.
    pub(crate) path: Vec<String>,
    /// Counts from 1.
    pub(crate) line: usize,
    kind: Kind,
}

/// The ways to write an import.
#[derive(Clone, PartialEq)]
enum Kind {
    /// `use path as alias`; `public` for a `pub use`.
    Use { alias: String, public: bool },
    /// `use path::*`
    Glob,
    /// A path in code.
    Path,
}

/// The place that a path leads to.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// An item that this module defines.
    Item(Id),
    /// The module itself.
    Module(Id),
}

impl Tree {
    /// Reads the crates below `host/`: `host` itself, whose binary is the module `main`, and packages in folders of it.
    pub(crate) fn read(files: &[File]) -> Self {
        let mut tree = Self::default();
        for root in files.iter().filter(|file| file.path.starts_with("host/")) {
            let Some(package) = root.path.strip_suffix("/src/lib.rs") else { continue };
            if OUTSIDE.iter().any(|folder| root.path.starts_with(folder)) {
                continue;
            }
            let name = package.rsplit('/').next().unwrap_or_default();
            let name = if name == "host" { HOST.to_owned() } else { format!("{FAMILY}{name}") };
            tree.add(files, root, &name);
        }
        if let Some(main) = files.iter().find(|file| file.path == "host/src/main.rs") {
            tree.add(files, main, "main");
        }
        tree
    }

    fn add(&mut self, files: &[File], root: &File, name: &str) {
        let id = self.modules.len();
        self.modules.push(Module { path: vec![name.to_owned()], file: root.path.clone(), ..Module::default() });
        self.crates.insert(name.to_owned(), id);
        let mut reader = Reader { tree: self, files, module: id, folder: folder(&root.path).to_owned() };
        reader.visit_file(&Source::read(root).tree);
    }

    /// Returns the name of the top-level module of the host, or of the other crate, that a module belongs to.
    pub(crate) fn top(&self, id: Id) -> &str {
        let path = &self.modules[id].path;
        match path[0].as_str() {
            HOST => path.get(1).map_or("lib", String::as_str),
            other => other.strip_prefix(FAMILY).unwrap_or(other),
        }
    }

    /// Returns the name of the top-level module or crate that an import names, whatever that exports again.
    /// A path that begins with an imported name counts where that is imported.
    pub(crate) fn imported_top(&self, module: Id, import: &Import) -> Option<&str> {
        if import.kind == Kind::Path && self.alias(module, &import.path[0]).is_some() {
            return None;
        }
        let relative = |name: &&String| ["crate", "self", "super", HOST].contains(&name.as_str());
        let begin = import.path.iter().take_while(relative).count() + 1;
        match self.resolve(module, &import.path[..begin.min(import.path.len())], 0)? {
            Target::Item(id) | Target::Module(id) => Some(self.top(id)),
        }
    }

    /// Returns the files that an import makes a file depend on: those that define the items, wherever else these are
    /// exported. The import of a module by itself names no file, since the paths that go through it do; nor does a
    /// `pub use` of what the module does not mention.
    pub(crate) fn imported_files(&self, module: Id, import: &Import) -> Vec<&str> {
        let mentioned = &self.modules[module].mentioned;
        let file = |target| match target {
            Some(Target::Item(id)) => Some(self.modules[id].file.as_str()),
            _ => None,
        };
        match (&import.kind, self.resolve(module, &import.path, 0)) {
            (Kind::Use { alias, public: true }, _) if !mentioned.contains(alias) => Vec::new(),
            (Kind::Glob, Some(Target::Module(from))) => {
                mentioned.iter().filter_map(|name| file(self.step(from, name, &[], 0))).collect()
            }
            (_, target) => file(target).into_iter().collect(),
        }
    }

    /// Follows a path from a module; `None` for one that leaves the family of crates. `depth` ends imports in a circle.
    fn resolve(&self, module: Id, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(*self.crates.get(&self.modules[module].path[0])?, rest, depth),
            "self" => self.walk(module, rest, depth),
            "super" if rest.first().is_some_and(|next| next == "super") => {
                self.resolve(self.modules[module].parent?, rest, depth)
            }
            "super" => self.walk(self.modules[module].parent?, rest, depth),
            name => match self.crates.get(name) {
                Some(root) => self.walk(*root, rest, depth),
                None => self.step(module, name, rest, depth),
            },
        }
    }

    fn walk(&self, module: Id, path: &[String], depth: usize) -> Option<Target> {
        match path.split_first() {
            None => Some(Target::Module(module)),
            // A name that nothing declares is made by a macro.
            Some((name, rest)) => self.step(module, name, rest, depth).or(Some(Target::Item(module))),
        }
    }

    /// Returns the `use` declaration of a module that brings a name in.
    fn alias(&self, module: Id, name: &str) -> Option<&Import> {
        let named = |import: &&Import| matches!(&import.kind, Kind::Use { alias, .. } if alias == name);
        self.modules[module].imports.iter().find(named)
    }

    /// Looks a name up in a module and goes on from there.
    fn step(&self, module: Id, name: &str, rest: &[String], depth: usize) -> Option<Target> {
        let known = &self.modules[module];
        if rest.is_empty() && known.items.contains(name) {
            return Some(Target::Item(module));
        }
        if let Some(child) = known.children.get(name) {
            return self.walk(*child, rest, depth);
        }
        if known.items.contains(name) {
            return Some(Target::Item(module));
        }
        if depth > 8 {
            return None;
        }
        if let Some(import) = self.alias(module, name) {
            let path: Vec<_> = import.path.iter().chain(rest).cloned().collect();
            return self.resolve(module, &path, depth + 1);
        }
        let mut globs = known.imports.iter().filter(|import| import.kind == Kind::Glob);
        globs.find_map(|glob| match self.resolve(module, &glob.path, depth + 1)? {
            Target::Module(from) if from != module => self.step(from, name, rest, depth + 1),
            _ => None,
        })
    }
}

/// Reads one file's items into the tree, and the files that they declare.
struct Reader<'t> {
    tree: &'t mut Tree,
    files: &'t [File],
    module: Id,
    /// The folder of the module's children.
    folder: String,
}

impl Reader<'_> {
    fn current(&mut self) -> &mut Module {
        &mut self.tree.modules[self.module]
    }

    fn push(&mut self, path: Vec<String>, line: usize, kind: Kind) {
        self.current().imports.push(Import { path, line, kind });
    }

    /// Reads a module that is a block or another file. One that is not found was generated.
    fn child(&mut self, item: &ItemMod) {
        let (name, folder) = (item.ident.to_string(), &self.folder);
        let places = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")];
        let file = self.files.iter().find(|file| places.contains(&file.path));
        let parent = &self.tree.modules[self.module];
        let path = parent.path.iter().cloned().chain([name.clone()]).collect();
        let place = if item.content.is_some() { &parent.file } else { file.map_or(&places[0], |file| &file.path) };
        let module = Module { path, file: place.clone(), parent: Some(self.module), ..Module::default() };
        let id = self.tree.modules.len();
        self.tree.modules.push(module);
        self.current().children.insert(name.clone(), id);
        let folder = format!("{}/{name}", self.folder);
        let mut reader = Reader { tree: self.tree, files: self.files, module: id, folder };
        match (&item.content, file) {
            (Some((_, items)), _) => items.iter().for_each(|item| reader.visit_item(item)),
            (None, Some(file)) => reader.visit_file(&Source::read(file).tree),
            (None, None) => {}
        }
    }

    fn tree(&mut self, tree: &UseTree, prefix: &[String], public: bool) {
        let with = |ident: &Ident| prefix.iter().cloned().chain([ident.to_string()]).collect::<Vec<_>>();
        let mut named = |ident: &Ident, alias: &Ident| {
            let own = ident == "self" && !prefix.is_empty();
            let path = if own { prefix.to_vec() } else { with(ident) };
            let alias =
                if own && alias == "self" { path.last().cloned().unwrap_or_default() } else { alias.to_string() };
            self.push(path, ident.span().start().line, Kind::Use { alias, public });
        };
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident), public),
            UseTree::Name(name) => named(&name.ident, &name.ident),
            UseTree::Rename(rename) => named(&rename.ident, &rename.rename),
            UseTree::Glob(glob) => self.push(prefix.to_vec(), glob.star_token.spans[0].start().line, Kind::Glob),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, prefix, public)),
        }
    }

    /// Finds paths among the tokens of a macro or an attribute.
    fn scan(&mut self, tokens: &TokenStream) {
        let tokens: Vec<_> = tokens.clone().into_iter().collect();
        let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.scan(&group.stream()),
                TokenTree::Ident(first) => {
                    let mut path = vec![first.to_string()];
                    while let (true, true, Some(TokenTree::Ident(next))) =
                        (colon(at), colon(at + 1), tokens.get(at + 2))
                    {
                        path.push(next.to_string());
                        at += 3;
                    }
                    self.mention(path, first.span().start().line);
                }
                _ => {}
            }
        }
    }

    fn mention(&mut self, path: Vec<String>, line: usize) {
        self.current().mentioned.insert(path[0].clone());
        if path.len() > 1 {
            self.push(path, line, Kind::Path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            return;
        }
        self.current().has_code |= !matches!(item, Item::Mod(_) | Item::Use(_));
        if let Some(name) = name(item) {
            self.current().items.insert(name.to_string());
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.child(item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let line = first.ident.span().start().line;
            self.mention(path.segments.iter().map(|segment| segment.ident.to_string()).collect(), line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.visit_path(&invocation.path);
        self.scan(&invocation.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(&list.tokens);
        }
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Returns the name of an item that a path can lead to.
fn name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}
