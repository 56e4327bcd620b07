//! Resolves `include`: replaces it by the steps of the file, before a plan is built. A file is read once for each
//! place. Rows of the report need different names, whichever file a step is in. So from the second time on that a list
//! includes a file, the steps are named `NAME (2)`, with `NAME` in their tag `step`, by which thresholds select them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, io_reason};
use crate::script::model::{BlockBody, BlockSpec, FlowItem, NamedText, Script, Spanned};
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
                FlowItem::Step(step) => {
                    if let Some(original) = self.register_name(&mut step.name, &step.source, names) {
                        let name = Spanned { value: "step".to_owned(), span: original.span };
                        step.tags.push(NamedText { name, value: original });
                    }
                }
                FlowItem::Block(block) => self.block(block, names),
            }
        }
    }

    fn block(&mut self, block: &mut BlockSpec, names: &mut RowSources) {
        if let Some(name) = &mut block.group {
            self.register_name(name, &block.source, names);
        }
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

    /// Notes the name of a row. Two steps of one file with the same name were reported when the file was read. Renames
    /// a row of a file that is included again, and returns its original name.
    fn register_name(
        &mut self,
        name: &mut Spanned<String>,
        source: &Arc<SourceText>,
        names: &mut RowSources,
    ) -> Option<Spanned<String>> {
        let Some(other) = names.get(&name.value) else {
            names.insert(name.value.clone(), Arc::clone(source));
            return None;
        };
        if Arc::ptr_eq(other, source) {
            return None;
        }
        if other.name != source.name {
            let message = format!("two steps are named `{}`", name.value);
            let diagnostic = Diagnostic::new("script::duplicate-name", message).at(source, name.span, "named again");
            let help = format!("`{}` has a step of that name; rows of the report need different names", other.name);
            self.diagnostics.push(diagnostic.help(help));
            return None;
        }
        let original = name.clone();
        let numbered = (2_usize..).map(|number| format!("{} ({number})", original.value));
        let mut free = numbered.filter(|candidate| !names.contains_key(candidate));
        name.value = free.next().unwrap_or_default();
        names.insert(name.value.clone(), Arc::clone(source));
        Some(original)
    }
}
