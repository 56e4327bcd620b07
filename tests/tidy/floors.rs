//! The rules about imports: none climbs, and none closes a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::circles::{Circle, Graph, circles, import};
use crate::imports::Tree;

/// Modules by floors, bottom to top.
pub(crate) type Floors<'a> = &'a [&'a [&'a str]];

/// A module, and the only ones that it imports from.
pub(crate) type Narrow<'a> = (&'a str, &'a [&'a str]);

/// A circle's files in alphabetical order, and why it stays.
pub(crate) type Allowed<'a> = (&'a [&'a str], &'a str);

/// Returns the imports that do not lead to a lower floor, modules that are on no floor, and modules of floors that are
/// gone.
pub(crate) fn climbing(tree: &Tree, floors: Floors, narrow: &[Narrow]) -> Vec<String> {
    let floor = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let mut wrong = Vec::new();
    for (id, module) in tree.modules.iter().enumerate() {
        let (here, from) = (&module.file, tree.top(id));
        if from == "lib" {
            continue;
        }
        let Some(own) = floor(from) else {
            wrong.push(format!("{here}: `{from}` is on no floor"));
            continue;
        };
        for import in &module.imports {
            let Some(to) = tree.imported_top(id, import).filter(|to| *to != from) else { continue };
            let (place, path) = (format!("{here}:{}", import.line), import.path.join("::"));
            // The binary is the one crate that sees the host from outside.
            if from == "main" && to == "lib" {
                continue;
            }
            match floor(to) {
                None => wrong.push(format!("{place}: `{path}` leads to `{to}`, which is on no floor")),
                Some(other) if other >= own => {
                    let floors = format!("`{from}` (floor {}) to `{to}` (floor {})", own + 1, other + 1);
                    wrong.push(format!("{place}: `{path}` climbs from {floors}"));
                }
                Some(_) => {}
            }
            if narrow.iter().any(|(module, only)| *module == from && !only.contains(&to)) {
                wrong.push(format!("{place}: `{from}` may not import from `{to}`"));
            }
        }
    }
    let gone = |module: &&&str| !(0..tree.modules.len()).any(|id| tree.top(id) == **module);
    let listed = floors.iter().copied().flatten();
    wrong.extend(listed.filter(gone).map(|module| format!("FLOORS: there is no module `{module}`")));
    wrong
}

/// Returns the rows of a page's table of floors that do not say what the list says, and the modules that the table
/// lacks. A row is `| floor | module | …`, with names or paths of modules in backticks.
pub(crate) fn misplaced(page: &str, floors: Floors, omitted: &[&str]) -> Vec<String> {
    let (mut wrong, mut shown) = (Vec::new(), BTreeSet::new());
    let rows =
        page.lines().map(|line| line.trim_start_matches("//! ")).skip_while(|line| !line.starts_with("| floor |"));
    for row in rows.skip(2).take_while(|line| line.starts_with("| ")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for name in cells[2].split('`').skip(1).step_by(2) {
            let path = name.trim_start_matches("host/").trim_start_matches("src/");
            let module = path.split(['/', '.']).next().unwrap_or_default();
            let floor = floors.iter().position(|floor| floor.contains(&module)).map(|floor| (floor + 1).to_string());
            if floor.as_deref() != Some(cells[1]) {
                wrong.push(format!("`{name}` on floor {}, not {floor:?}", cells[1]));
            }
            shown.insert(module);
        }
    }
    let listed = floors.iter().copied().flatten().filter(|module| !omitted.contains(module));
    wrong.extend(
        listed.filter(|module| !shown.contains(*module)).map(|module| format!("`{module}` is not in the table")),
    );
    wrong
}

/// Returns the circles between modules.
pub(crate) fn between_modules(tree: &Tree) -> Vec<String> {
    let mut graph = Graph::new();
    for (id, module) in tree.modules.iter().enumerate().filter(|(id, _)| tree.top(*id) != "lib") {
        for one in &module.imports {
            if let Some(to) = tree.imported_top(id, one) {
                import(&mut graph, tree.top(id), to, format!("{}:{}", module.file, one.line));
            }
        }
    }
    circles(&graph).iter().map(describe).collect()
}

/// Returns the circles between files of one module that are not allowed, and allowed circles that do not exist.
pub(crate) fn between_files(tree: &Tree, allowed: &[Allowed]) -> Vec<String> {
    let mut graphs = BTreeMap::<&str, Graph>::new();
    let code: BTreeSet<_> = tree.modules.iter().filter(|it| it.has_code).map(|it| it.file.as_str()).collect();
    let owner: BTreeMap<_, _> = (0..tree.modules.len()).map(|id| (&*tree.modules[id].file, tree.top(id))).collect();
    for (id, module) in tree.modules.iter().enumerate().filter(|(_, module)| code.contains(&*module.file)) {
        for one in &module.imports {
            let files = tree.imported_files(id, one).into_iter();
            for to in files.filter(|to| code.contains(to) && owner[to] == tree.top(id)) {
                let graph = graphs.entry(tree.top(id)).or_default();
                import(graph, &module.file, to, format!("{}:{}", module.file, one.line));
            }
        }
    }
    let found: Vec<_> = graphs.values().flat_map(circles).collect();
    let mut wrong: Vec<_> = found
        .iter()
        .filter(|circle| !allowed.iter().any(|(files, _)| circle.members == *files))
        .map(describe)
        .collect();
    let idle = allowed.iter().filter(|(files, _)| !found.iter().any(|circle| circle.members == *files));
    wrong.extend(idle.map(|(files, _)| format!("CIRCLES: {} are no circle any more", files.join(", "))));
    wrong
}

fn describe(circle: &Circle) -> String {
    format!("{}\n    {}", circle.members.join(", "), circle.imports.join("\n    "))
}
