//! The rules of the project that can be checked by reading the text. Each test is one rule, and its failure lists every
//! place that breaks it. Rules about single functions (70 lines, 5 parameters) are clippy's; a test here ensures that
//! clippy enforces them.

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/glossary.rs"]
mod glossary;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/offences.rs"]
mod offences;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/prose.rs"]
mod prose;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use floors::{Allowed, Floors, Narrow, between_files, between_modules, climbing, misplaced};
use imports::Tree;
use offences::{lines, none};
use source::{File, Source, files, product, rust};

// ── Paths and lists ──

/// The modules of the host and its crates, bottom to top. A module imports only from floors below its own, and so not
/// from its neighbours. Code below `#[cfg(test)]` is exempt: a test may look up.
const FLOORS: Floors = &[
    // The crates `stampede-time` and `stampede-fleet`, and what needs nothing else.
    &["time", "fleet", "random", "segment", "text", "json_text", "stderr", "temporary", "exit"],
    &["diagnostic"],
    &["script"],
    // The command line is plain data, as a script is; `plan` reads both.
    &["cli"],
    &["metrics", "data"],
    &["net"],
    &["http", "secrets", "template", "pace"],
    // Conditions read the variables of templates, and load models are made of the profiles of `pace`.
    &["expression", "load_model"],
    &["user"],
    &["plugin"],
    &["plan", "scaffold"],
    &["run"],
    // `site` is the crate `stampede-site`.
    &["report", "rehearsal", "control", "site"],
    // Sinks read the finished report.
    &["sinks"],
    // The drivers of the protocol of many machines.
    &["machines"],
    &["command"],
    &["main"],
];

/// Modules that import from some lower floors only.
const NARROW: &[Narrow] = &[("cli", &["script", "segment", "exit"]), ("site", &["time"])];

/// Circles between files of one module that stay, three at most.
const CIRCLES: &[Allowed] = &[];

/// The one file that reads time.
const CLOCK: &str = "host/time/src/clock.rs";

/// Files that read the processor time of a worker, and of a guest's call.
const PROCESSOR_TIME: &[&str] = &["host/src/run/health_monitor.rs", "host/src/plugin/instance/budget.rs"];

/// Files that start a clock: a run's, those of a fleet's processes, that of the embedded site, the virtual one of a
/// rehearsal, and one that tells how often metrics are read.
const CLOCK_STARTS: &[&str] = &[
    "host/src/run/mod.rs",
    "host/src/run/section.rs",
    "host/src/machines/coordinator.rs",
    "host/src/machines/node.rs",
    "host/time/src/thread_timer.rs",
    "host/src/rehearsal/mod.rs",
    "host/src/sinks/prometheus/mod.rs",
];

/// The files that name generated bindings, one on each side of the contract.
const BINDINGS: [&str; 2] = ["host/src/plugin/contract/bindings.rs", "plugin-sdk/src/bindings.rs"];

/// Places where the host may panic, each with the reason why it never does.
const CANNOT_FAIL: [(&str, &str, &str); 5] = [
    ("host/src/metrics/histogram.rs", "Histogram::new(digits)", "the digits are constants of that file"),
    ("host/src/report/duration_stats.rs", "new_with_bounds", "the bounds are constants"),
    ("host/src/report/duration_stats.rs", "V2DeflateSerializer", "writes into memory"),
    ("host/src/template/variables.rs", "u32::try_from", "a name takes more than a byte of memory"),
    ("host/src/template/encoding.rs", "serde_json::to_writer", "writes a string into memory"),
];

/// Places where unsafe code may be: they load code that wasmtime compiled, register a timer of the system, call native
/// plugins, or handle the signals of a crash.
const UNSAFE: [&str; 4] =
    ["host/src/plugin/load/compile/mod.rs", "host/time/src/alarm.rs", "host/src/plugin/native/", SIGNAL_HANDLER];

/// The file with global mutable state, since a handler of signals is given none.
const SIGNAL_HANDLER: &str = "host/src/control/terminal_crash.rs";

/// The manifest of the misbehaving plugins.
const GUESTS: &str = "tests/guests/Cargo.toml";

/// The product's code, to which the rules about habits apply.
const PRODUCT: &[&str] =
    &["host/src/", "host/time/src/", "host/fleet/src/", "host/site/src/", "plugin-sdk/src/", "plugins/"];

/// The host's code, with its crates.
const HOST: &[&str] = &["host/src/", "host/time/src/", "host/fleet/src/", "host/site/src/"];

fn has_extension(file: &File, extension: &str) -> bool {
    file.path.rsplit('.').next() == Some(extension)
}

// ── Size ──

#[test]
fn no_file_is_longer_than_500_lines() {
    let files = files();
    let long = rust(&files, &[""]).map(|file| (file, file.text.lines().count())).filter(|(_, lines)| *lines > 500);
    none("a file has 500 lines at most", long.map(|(file, lines)| format!("{}: {lines}", file.path)));
}

#[test]
fn main_is_40_lines_at_most() {
    let files = files();
    let main = files.iter().find(|file| file.path == "host/src/main.rs").expect("the host has a `main.rs`");
    assert!(main.text.lines().count() <= 40);
}

#[test]
fn half_of_the_files_are_130_lines_or_shorter_without_their_tests() {
    let files = files();
    let mut lengths: Vec<_> = product(&files, PRODUCT)
        .iter()
        .filter_map(|(path, code)| Some((files.iter().find(|file| file.path == *path)?, code)))
        .map(|(_, code)| code.trim_end().lines().count())
        .collect();
    lengths.sort_unstable();
    assert!(lengths[lengths.len() / 2] <= 130, "the median is {}", lengths[lengths.len() / 2]);
}

#[test]
fn clippy_is_asked_about_the_length_of_functions() {
    let files = files();
    let text = |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    let settings = text("clippy.toml");
    assert!(
        settings.contains("too-many-lines-threshold = 70") && settings.contains("too-many-arguments-threshold = 5")
    );
    let workspace = text("Cargo.toml");
    for lint in ["too_many_lines = \"warn\"", "missing_docs = \"deny\"", "unreachable_pub = \"deny\""] {
        assert!(workspace.contains(lint), "{lint}");
    }
    let outside = |path: &str| ["examples/", "host/benches/languages/"].iter().any(|folder| path.starts_with(folder));
    let manifests = files.iter().filter(|file| file.path.ends_with("/Cargo.toml") && !outside(&file.path));
    none(
        "every member has the workspace's lints",
        manifests.filter(|file| !file.text.contains("[lints]\nworkspace = true")).map(|file| file.path.clone()),
    );
    let excused = rust(&files, &[""]).flat_map(|file| {
        let text = Source::read(file).code();
        lines(&file.path, &text, |line| line.contains("clippy::too_many_")).collect::<Vec<_>>()
    });
    none("no function is excused from its length", excused);
}

// ── Prose ──

#[test]
fn every_module_says_first_why_it_exists() {
    let files = files();
    let silent = rust(&files, &[""]).filter(|file| !file.text.starts_with("//! "));
    none("a file begins with `//!`", silent.map(|file| file.path.clone()));
}

#[test]
fn half_of_every_wit_file_is_prose() {
    let files = files();
    let terse = files.iter().filter(|file| has_extension(file, "wit")).filter(|file| {
        let lines: Vec<_> = file.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines.iter().filter(|line| line.starts_with("//")).count() * 2 < lines.len()
    });
    none("half of a WIT file is prose", terse.map(|file| file.path.clone()));
}

#[test]
fn every_dependency_has_its_reason() {
    let files = files();
    let mut bare = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let (mut section, mut before) = ("", "");
        for line in file.text.lines() {
            if line.starts_with('[') {
                section = line.trim_matches(['[', ']']);
            } else if section.ends_with("dependencies") && line.contains('=') && !before.starts_with("# ") {
                bare.push(format!("{}: {line}", file.path));
            }
            before = line;
        }
        bare.extend(lines(&file.path, &file.text, |line| line.contains("dependencies.")));
    }
    none("a dependency has a reason in the line above, and no section of its own", bare);
}

// ── Structure ──

#[test]
fn imports_lead_to_lower_floors() {
    let files = files();
    none("a module imports from lower floors only", climbing(&Tree::read(&files), FLOORS, NARROW));
}

#[test]
fn the_pages_show_the_floors_as_they_are() {
    let files = files();
    let page = |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    // `site` is among the folders beside the host.
    none("the map has the floors of this file", misplaced(page("ARCHITECTURE.md"), FLOORS, &["site"]));
    let of_crate = misplaced(page("host/src/lib.rs"), FLOORS, &["main", "site", "time", "fleet"]);
    none("the table of the crate has the floors of this file", of_crate);
}

#[test]
fn modules_do_not_import_each_other_in_a_circle() {
    let files = files();
    none("modules import each other in no circle", between_modules(&Tree::read(&files)));
}

#[test]
fn files_of_a_module_do_not_import_each_other_in_a_circle() {
    const { assert!(CIRCLES.len() <= 3) };
    let files = files();
    none("files of a module import each other in no circle", between_files(&Tree::read(&files), CIRCLES));
}

#[test]
fn generated_bindings_are_named_in_two_files_only() {
    let files = files();
    let product = product(&files, PRODUCT);
    let named = |line: &str| ["bindgen!", "generate!", "wit_bindgen"].iter().any(|it| line.contains(it));
    let elsewhere = product.iter().filter(|(path, _)| !BINDINGS.contains(&path.as_str()));
    none("generated code has one door on each side", elsewhere.flat_map(|(path, code)| lines(path, code, named)));
    for path in BINDINGS {
        assert!(
            product.iter().any(|(known, code)| known == path && code.lines().any(named)),
            "{path} is one of the two"
        );
    }
}

#[test]
fn every_plugin_with_actions_is_built_in() {
    let files = files();
    let manifest = files.iter().find(|file| file.path == "Cargo.toml").map_or("", |file| &file.text);
    let list = manifest.split_once("\nbuiltin-plugins = [").and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.expect("the workspace's manifest lists the built-in plugins");
    let listed: BTreeSet<_> = list.split('"').skip(1).step_by(2).collect();
    let schemas = files.iter().filter_map(|file| file.path.strip_prefix("plugins/")?.split_once("/schema/"));
    let offering: BTreeSet<_> = schemas.map(|(plugin, _)| plugin).collect();
    let differing = listed.symmetric_difference(&offering);
    none("`builtin-plugins` lists the folders with a `schema`", differing.map(|plugin| format!("plugins/{plugin}")));
}

/// Returns the names of the guests, in order.
fn guests(files: &[File]) -> Vec<&str> {
    let names = files.iter().filter_map(|file| file.path.strip_prefix("tests/guests/")?.strip_suffix(".rs"));
    let mut guests: Vec<_> = names.filter(|name| *name != "lib").collect();
    guests.sort_unstable();
    guests
}

#[test]
fn every_guest_is_compiled() {
    let files = files();
    let guests = guests(&files);
    let example = |name: &str| format!("    {{ name = {name:?}, path = \"{name}.rs\", crate-type = [\"cdylib\"] }},\n");
    let list: String = guests.iter().map(|name| example(name)).collect();
    let manifest = files.iter().find(|file| file.path == GUESTS).map_or("", |file| &file.text);
    let (before, after) = manifest.split_once("example = [\n").expect("the manifest lists examples");
    let (listed, after) = after.split_once("]\n").expect("the list ends");
    if listed != list && env::var_os("BLESS").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(GUESTS);
        return fs::write(file, format!("{before}example = [\n{list}]\n{after}")).expect("the manifest can be written");
    }
    assert!(listed == list, "{GUESTS} lists other guests than there are (renew with BLESS=1)");
}

#[test]
fn every_guest_has_a_test_of_its_name() {
    let files = files();
    let suites = rust(&files, &["tests/suites/guests/"]).map(|file| file.text.as_str());
    let tests = suites.collect::<Vec<_>>().join("\n");
    let is_tested = |guest: &&str| {
        let body = tests.split_once(&format!("#[test]\nfn {guest}() {{")).map(|(_, after)| after);
        let body = body.and_then(|after| after.split("\n}\n").next());
        body.is_some_and(|body| body.contains(&format!("\"{guest}\"")))
    };
    let untested = guests(&files).into_iter().filter(|guest| !is_tested(guest));
    none("every guest has a test", untested.map(|guest| format!("tests/guests/{guest}.rs")));
}

// ── Habits ──

/// Ways to read time, and the files that use them.
const CLOCKS: [(&str, &[&str]); 5] = [
    ("Instant::now", &[CLOCK]),
    // In a component the clock of the standard library is the host's.
    ("SystemTime::now", &[CLOCK, "plugin-sdk/src/task.rs"]),
    ("ThreadTime::now", PROCESSOR_TIME),
    (".elapsed()", PROCESSOR_TIME),
    ("Clock::start", CLOCK_STARTS),
];

#[test]
fn time_is_read_in_one_place() {
    let files = files();
    let mut readers = Vec::new();
    for (path, code) in &product(&files, PRODUCT) {
        for (clock, allowed) in CLOCKS {
            if !allowed.contains(&path.as_str()) {
                readers.extend(lines(path, code, |line| line.contains(clock)));
            }
        }
    }
    none("only the clock reads time; all other code is given it", readers);
}

#[test]
fn there_is_no_global_mutable_state() {
    let files = files();
    let global = |line: &str| {
        let declared = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        let shared = ["Cell", "Lock", "Mutex", "Atomic", "Lazy"].iter().any(|kind| declared.contains(kind));
        declared.starts_with("static mut ")
            || declared.starts_with("static ") && shared
            || line.contains("thread_local!")
            || line.contains("lazy_static!")
    };
    let product = product(&files, HOST);
    let elsewhere = product.iter().filter(|(path, _)| path != SIGNAL_HANDLER);
    none("the host has no global mutable state", elsewhere.flat_map(|(path, code)| lines(path, code, global)));
}

#[test]
fn the_host_does_not_panic() {
    const PANICS: [&str; 7] = [".unwrap()", ".expect(", "panic!", "todo!", "dbg!", "unimplemented!", "unreachable!"];
    let files = files();
    let product = product(&files, HOST);
    let mut excused = [false; CANNOT_FAIL.len()];
    let mut wrong = Vec::new();
    for (path, code) in &product {
        for found in lines(path, code, |line| PANICS.iter().any(|panic| line.contains(panic))) {
            match CANNOT_FAIL.iter().position(|(file, what, _)| file == path && found.contains(what)) {
                Some(reason) => excused[reason] = true,
                None => wrong.push(found),
            }
        }
    }
    none("the host fails in words, it does not panic", wrong);
    let idle = CANNOT_FAIL.iter().zip(excused).filter(|(_, used)| !used);
    none(
        "the list of exceptions is no longer than it must be",
        idle.map(|((file, what, _), _)| format!("{file}: {what}")),
    );
}

#[test]
fn unsafe_code_is_in_few_places() {
    let files = files();
    let product = product(&files, HOST);
    let elsewhere = product.iter().filter(|(path, _)| !UNSAFE.iter().any(|place| path.starts_with(place)));
    let named = |line: &str| line.contains("unsafe ");
    none("pointers are followed in few places", elsewhere.flat_map(|(path, code)| lines(path, code, named)));
}

#[test]
fn nothing_is_left_for_later() {
    let files = files();
    // Put together here, so that this file does not break its own rule.
    let marks = ["TO DO", "FIX ME", "XX X"].map(|mark| mark.replace(' ', ""));
    let texts = files.iter().filter(|file| !file.path.ends_with(".lock"));
    none(
        "what is not done is an issue, not a mark in the code",
        texts.flat_map(|file| {
            lines(&file.path, &file.text, |line| marks.iter().any(|mark| line.contains(mark.as_str())))
        }),
    );
}

// ── What is in the repository ──

#[test]
fn no_component_and_nothing_large_is_tracked() {
    const LARGEST: usize = 400 << 10;
    let files = files();
    let compiled = files.iter().filter(|file| has_extension(file, "wasm") || has_extension(file, "cwasm"));
    // Except those that were built against earlier versions of the contract, which cannot be built again.
    let compiled = compiled.filter(|file| !file.path.starts_with("tests/fixtures/contract-"));
    none("components are built, not kept", compiled.map(|file| file.path.clone()));
    let large = files.iter().filter(|file| file.size > LARGEST);
    none("a file has 400 KiB at most", large.map(|file| format!("{}: {}", file.path, file.size)));
}

#[test]
fn nothing_names_a_machine() {
    let files = files();
    // Put together here, so that this file does not break its own rule.
    let folders = ["home", "root", "Users", "work", "tmp", "mnt"].map(|folder| format!("/{folder}/"));
    let paths = files.iter().flat_map(|file| {
        lines(&file.path, &file.text, |line| folders.iter().any(|folder| line.contains(folder.as_str())))
    });
    none("no path of a machine is in a file", paths);
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with("Cargo.lock")) {
        let mut named: Vec<_> = file.text.lines().filter(|line| line.starts_with("source = ")).collect();
        named.sort_unstable();
        named.dedup();
        sources.extend(named.iter().skip(1).map(|source| format!("{}: a second registry: {source}", file.path)));
    }
    // The rules of cargo-deny say that there are no others.
    for file in files.iter().filter(|file| has_extension(file, "toml") && file.path != "deny.toml") {
        let elsewhere =
            |line: &str| ["[source", "[registr", "replace-with", "registry ="].iter().any(|key| line.contains(key));
        sources.extend(lines(&file.path, &file.text, elsewhere));
    }
    none("packages come from the one registry that cargo knows by itself", sources);
}
