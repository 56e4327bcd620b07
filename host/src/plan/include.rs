//! Resolves `include`: replaces it by the steps of the file, before a plan is built. A file is read once for each
//! place. Rows of the report need different names, whichever file a step is in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, io_reason};
use crate::script::model::{BlockBody, BlockSpec, FlowItem, Script, Spanned};
use crate::script::parse_included;

/// The deepest nesting of included files.
const MAX_DEPTH: usize = 16;
/// The maximum number of files, since files that include others twice multiply quickly.
const MAX_FILES: usize = 1_000;

/// Returns the script with the steps of included files in their places.
///
/// # Errors
/// A file cannot be read, includes itself or is invalid, or steps of different files have the same name.
pub(super) fn resolve_includes(script: &Script, folder: &Path) -> Result<Script, Diagnostics> {
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

/// The names of rows, and the file of each.
type RowSources = HashMap<String, Arc<SourceText>>;

struct IncludeResolver<'a> {
    folder: &'a Path,
    /// The files around the current place.
    open_files: Vec<PathBuf>,
    /// The number of files read so far.
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

    /// Reads the items of a file, which is open from here on.
    fn read_file(&mut self, file: &Spanned<String>, source: &Arc<SourceText>) -> Result<Vec<FlowItem>, Diagnostics> {
        let include_error = |message: String, label: &str| {
            Diagnostics::from(Diagnostic::new("script::include", message).at(source, file.span, label))
        };
        let path = self.folder.join(&file.value);
        if self.open_files.contains(&path) {
            return Err(include_error(format!("`{}` includes itself", file.value), "includes itself"));
        }
        if self.open_files.len() >= MAX_DEPTH {
            return Err(include_error(format!("files are included more than {MAX_DEPTH} levels deep"), "too deep"));
        }
        if self.files_read >= MAX_FILES {
            return Err(include_error(format!("the script includes more than {MAX_FILES} files"), "too many"));
        }
        self.files_read += 1;
        let text = std::fs::read_to_string(&path).map_err(|error| {
            include_error(format!("cannot read `{}`: {}", file.value, io_reason(&error)), "this file")
        })?;
        let items = parse_included(&Arc::new(SourceText { name: path.display().to_string(), text }))?;
        self.open_files.push(path);
        Ok(items)
    }

    /// Notes the name of a row. Two steps of one file with the same name were reported when the file was read.
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
                let help = format!("`{}` has a step of that name; rows of the report need different names", other.name);
                self.diagnostics.push(diagnostic.help(help));
            }
        }
    }
}
