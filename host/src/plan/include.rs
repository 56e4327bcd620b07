//! `include`: the steps of other files put in their places, before anything else is made of a script. A file is read once
//! for each place; rows of the report need different names, in whatever file a step stands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, io_reason};
use crate::script::model::{BlockBody, BlockSpec, FlowItem, Script, Spanned};
use crate::script::parse_included;

/// Files within files, at most.
const MAX_DEPTH: usize = 16;
/// Files in all, at most: files that include others twice are many soon.
const MAX_FILES: usize = 1_000;

/// The script with everything that it includes.
///
/// # Errors
/// Files that cannot be read, include themselves, or are wrong; steps of different files with the same name.
pub fn resolve_includes(script: &Script, folder: &Path) -> Result<Script, Diagnostics> {
    let mut script = script.clone();
    let mut resolver =
        IncludeResolver { folder, open_files: Vec::new(), files_read: 0, diagnostics: Diagnostics::default() };
    let own = script.scenarios.iter_mut().map(|scenario| &mut scenario.steps);
    for list in [&mut script.setup, &mut script.steps, &mut script.teardown].into_iter().chain(own) {
        let mut names = HashMap::new();
        resolver.list(list, &mut names);
    }
    resolver.diagnostics.into_result(script)
}

/// The names of rows, and of which file each is.
type RowSources = HashMap<String, Arc<SourceText>>;

struct IncludeResolver<'a> {
    folder: &'a Path,
    /// The files around the place.
    open_files: Vec<PathBuf>,
    /// How many were read.
    files_read: usize,
    diagnostics: Diagnostics,
}

impl IncludeResolver<'_> {
    fn list(&mut self, items: &mut [FlowItem], names: &mut RowSources) {
        for item in items {
            match item {
                FlowItem::Step(step) => self.register_name(&step.name, &step.source, names),
                FlowItem::Block(block) => self.block(block, names),
            }
        }
    }

    fn block(&mut self, block: &mut BlockSpec, names: &mut RowSources) {
        block.group.iter().for_each(|name| self.register_name(name, &block.source, names));
        if let BlockBody::Include(file) = &block.body {
            let depth = self.open_files.len();
            match self.read_file(file, &block.source) {
                Ok(items) => block.body = BlockBody::Steps(items),
                Err(more) => self.diagnostics.0.extend(more.0),
            }
            self.body(block, names);
            self.open_files.truncate(depth);
        } else {
            self.body(block, names);
        }
        self.list(&mut block.else_items, names);
    }

    fn body(&mut self, block: &mut BlockSpec, names: &mut RowSources) {
        match &mut block.body {
            BlockBody::Steps(items) | BlockBody::Parallel(items) => self.list(items, names),
            BlockBody::Choose(branches) => branches.iter_mut().for_each(|branch| self.list(&mut branch.items, names)),
            BlockBody::Include(_) => {}
        }
    }

    /// The items of a file, which is open from here on.
    fn read_file(&mut self, file: &Spanned<String>, source: &Arc<SourceText>) -> Result<Vec<FlowItem>, Diagnostics> {
        let wrong = |message: String, label: &str| {
            Diagnostics::from(Diagnostic::new("script::include", message).at(source, file.span, label))
        };
        let path = self.folder.join(&file.value);
        if self.open_files.contains(&path) {
            return Err(wrong(format!("`{}` includes itself", file.value), "goes round in a circle"));
        }
        if self.open_files.len() >= MAX_DEPTH {
            return Err(wrong(format!("files are included {MAX_DEPTH} deep at most"), "too deep"));
        }
        if self.files_read >= MAX_FILES {
            return Err(wrong(format!("a script may include {MAX_FILES} files"), "one too many"));
        }
        self.files_read += 1;
        let text = std::fs::read_to_string(&path)
            .map_err(|error| wrong(format!("cannot read `{}`: {}", file.value, io_reason(&error)), "this file"))?;
        let items = parse_included(&Arc::new(SourceText { name: path.display().to_string(), text }))?;
        self.open_files.push(path);
        Ok(items)
    }

    /// Two steps of one file with the same name were found when it was read.
    fn register_name(&mut self, name: &Spanned<String>, source: &Arc<SourceText>, names: &mut RowSources) {
        match names.get(&name.value) {
            None => {
                names.insert(name.value.clone(), Arc::clone(source));
            }
            Some(other) if Arc::ptr_eq(other, source) => {}
            Some(other) => {
                let message = format!("two steps are named `{}`", name.value);
                let diagnostic =
                    Diagnostic::new("script::duplicate-name", message).at(source, name.span, "named again");
                let help = format!("`{}` has one of that name; rows of the report need different names", other.name);
                self.diagnostics.push(diagnostic.help(help));
            }
        }
    }
}
