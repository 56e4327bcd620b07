//! `include`: the steps of other files put in their places, before anything else is made of a script. A file is read once
//! for each place; rows of the report need different names, in whatever file a step stands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Source, reason};
use crate::script::model::{Block, Body, Item, Script, Spanned};
use crate::script::parse_included;

/// Files within files, at most.
const DEEPEST: usize = 16;
/// Files in all, at most: files that include others twice are many soon.
const MOST_FILES: usize = 1_000;

/// The script with everything that it includes.
///
/// # Errors
/// Files that cannot be read, include themselves, or are wrong; steps of different files with the same name.
pub fn resolved(script: &Script, folder: &Path) -> Result<Script, Diagnostics> {
    let mut script = script.clone();
    let mut resolver = Resolver { folder, open: Vec::new(), read: 0, found: Diagnostics::default() };
    let own = script.scenarios.iter_mut().map(|scenario| &mut scenario.steps);
    for list in [&mut script.setup, &mut script.steps, &mut script.teardown].into_iter().chain(own) {
        let mut names = HashMap::new();
        resolver.list(list, &mut names);
    }
    resolver.found.into_result(script)
}

/// The names of rows, and of which file each is.
type Names = HashMap<String, Arc<Source>>;

struct Resolver<'a> {
    folder: &'a Path,
    /// The files around the place.
    open: Vec<PathBuf>,
    /// How many were read.
    read: usize,
    found: Diagnostics,
}

impl Resolver<'_> {
    fn list(&mut self, items: &mut [Item], names: &mut Names) {
        for item in items {
            match item {
                Item::Step(step) => self.named(&step.name, &step.source, names),
                Item::Block(block) => self.block(block, names),
            }
        }
    }

    fn block(&mut self, block: &mut Block, names: &mut Names) {
        block.group.iter().for_each(|name| self.named(name, &block.source, names));
        if let Body::Include(file) = &block.body {
            let depth = self.open.len();
            match self.read(file, &block.source) {
                Ok(items) => block.body = Body::Steps(items),
                Err(more) => self.found.0.extend(more.0),
            }
            self.body(block, names);
            self.open.truncate(depth);
        } else {
            self.body(block, names);
        }
        self.list(&mut block.otherwise, names);
    }

    fn body(&mut self, block: &mut Block, names: &mut Names) {
        match &mut block.body {
            Body::Steps(items) | Body::Parallel(items) => self.list(items, names),
            Body::Choose(branches) => branches.iter_mut().for_each(|branch| self.list(&mut branch.items, names)),
            Body::Include(_) => {}
        }
    }

    /// The items of a file, which is open from here on.
    fn read(&mut self, file: &Spanned<String>, source: &Arc<Source>) -> Result<Vec<Item>, Diagnostics> {
        let wrong = |message: String, label: &str| {
            Diagnostics::from(Diagnostic::new("script::include", message).at(source, file.span, label))
        };
        let path = self.folder.join(&file.value);
        if self.open.contains(&path) {
            return Err(wrong(format!("`{}` includes itself", file.value), "goes round in a circle"));
        }
        if self.open.len() >= DEEPEST {
            return Err(wrong(format!("files are included {DEEPEST} deep at most"), "too deep"));
        }
        if self.read >= MOST_FILES {
            return Err(wrong(format!("a script may include {MOST_FILES} files"), "one too many"));
        }
        self.read += 1;
        let text = std::fs::read_to_string(&path)
            .map_err(|error| wrong(format!("cannot read `{}`: {}", file.value, reason(&error)), "this file"))?;
        let items = parse_included(&Arc::new(Source { name: path.display().to_string(), text }))?;
        self.open.push(path);
        Ok(items)
    }

    /// Two steps of one file with the same name were found when it was read.
    fn named(&mut self, name: &Spanned<String>, source: &Arc<Source>, names: &mut Names) {
        match names.get(&name.value) {
            None => {
                names.insert(name.value.clone(), Arc::clone(source));
            }
            Some(other) if Arc::ptr_eq(other, source) => {}
            Some(other) => {
                let message = format!("two steps are named `{}`", name.value);
                let mistake = Diagnostic::new("script::duplicate-name", message).at(source, name.span, "named again");
                let help = format!("`{}` has one of that name; rows of the report need different names", other.name);
                self.found.push(mistake.help(help));
            }
        }
    }
}
