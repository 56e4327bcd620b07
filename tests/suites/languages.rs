//! Plugins in four languages: the examples and what `plugin new` writes are built as their READMEs say, with the tools
//! that `cargo xtask tools` installs, and do the same work against the same site.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use stampede_tests::{Finished, RawRequest, RawServer, settled, site};

use crate::plugin_outside::NOT_FOR_PLUGINS;
use crate::{TARGET_TMP, assert_golden, sha256, shooter};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folders of the examples, each with the component that its build makes.
const EXAMPLES: [(&str, &str); 4] = [
    ("rust", "target/wasm32-wasip2/release/challenge_rust.wasm"),
    ("python", "challenge-python.wasm"),
    ("javascript", "challenge-javascript.wasm"),
    ("c", "challenge-c.wasm"),
];

/// Names in the examples' folders that only builds by hand leave behind.
const MADE: [&str; 6] = ["target", "fresh", "node_modules", ".venv", "__pycache__", "package-lock.json"];

/// The folder of the tools. Folders below it have `node_modules` above them.
#[track_caller]
pub(crate) fn tools() -> PathBuf {
    let tools = Path::new(TARGET_TMP).join("../tools");
    for mark in ["python/installed", "node_modules/installed", "probe.wasm"] {
        let what = "the tools for plugins in Python, JavaScript and C are missing: `cargo xtask tools` installs them";
        assert!(tools.join(mark).is_file(), "{what}");
    }
    tools.canonicalize().expect("it is there")
}

/// Copies the files below a folder, except for build results.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be read").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let made = MADE.iter().any(|made| name == *made) || path.extension().is_some_and(|end| end == "wasm");
        if path.is_dir() && !made {
            copy(&path, &to.join(name));
        } else if !made {
            fs::copy(&path, to.join(name)).expect("the file can be copied");
        }
    }
}

/// Returns the contents of all files below some folders.
fn contents(folders: &[&Path], all: &mut Vec<u8>) {
    for folder in folders {
        let mut entries: Vec<_> = fs::read_dir(folder).expect("it can be read").flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if MADE.iter().any(|made| entry.file_name() == *made) {
                continue;
            }
            if path.is_dir() {
                contents(&[&path], all);
            } else if path.extension().is_none_or(|end| end != "wasm") {
                all.extend(path.file_name().unwrap_or_default().as_encoded_bytes());
                all.extend(fs::read(&path).expect("it can be read"));
            }
        }
    }
}

/// Runs the command of a README in a folder. The result is kept until the inputs change.
#[track_caller]
pub(crate) fn built(folder: &Path, inputs: &[&Path], line: &str, component: &str) -> PathBuf {
    let tools = tools();
    let mut all = line.as_bytes().to_vec();
    contents(inputs, &mut all);
    for mark in ["python/installed", "node_modules/installed"] {
        all.extend(fs::read(tools.join(mark)).expect("the tools are there"));
    }
    let kept = tools.join("built").join(format!("{}.wasm", sha256(&all)));
    if kept.is_file() {
        return kept;
    }
    let mut words = line.split(' ');
    let program = words.next().unwrap_or_default();
    let program = match program.rsplit('/').next() {
        Some("componentize-py") => tools.join("python/bin/componentize-py"),
        _ => program.into(),
    };
    let mut command = Command::new(program);
    command.args(words).current_dir(folder);
    NOT_FOR_PLUGINS.iter().for_each(|name| {
        command.env_remove(name);
    });
    let output = command.output().expect("the build starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{line}`\n{}{said}", String::from_utf8_lossy(&output.stdout));
    assert!(!said.contains("warning:"), "`{line}`\n{said}");
    fs::create_dir_all(tools.join("built")).expect("the folder can be made");
    let fresh = folder.join("fresh");
    fs::copy(folder.join(component), &fresh).expect("the component was built");
    fs::rename(fresh, &kept).expect("it can be kept");
    kept
}

/// Returns the command in backticks that follows some words of a text.
#[track_caller]
pub(crate) fn command_after<'t>(text: &'t str, words: &str) -> &'t str {
    let (_, after) = text.split_once(&format!("{words}: `")).unwrap_or_else(|| panic!("no `{words}` in\n{text}"));
    after.split('`').next().unwrap_or_default()
}

/// Builds the example in Rust in its own folder, with a target folder that is kept between runs.
#[track_caller]
fn rust(folder: &Path, line: &str, component: &str) -> PathBuf {
    let target = Path::new(TARGET_TMP).join("challenge-rust");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(line.split(' ').skip(1)).args(["--locked", "--target-dir"]).arg(&target).current_dir(folder);
    NOT_FOR_PLUGINS.iter().for_each(|name| {
        command.env_remove(name);
    });
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "`{line}`\n{}", String::from_utf8_lossy(&output.stderr));
    target.join(component.trim_start_matches("target/"))
}

/// Returns the components of the examples, in the order of [`EXAMPLES`]; each is built once, as its README says.
fn examples() -> &'static [PathBuf] {
    static BUILT: OnceLock<Vec<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let (root, tree) = (Path::new(ROOT), tools().join("examples"));
        // The results of a build would be taken for its inputs.
        let _ = fs::remove_dir_all(&tree);
        let folders = ["examples/challenge", "host/templates", "wit"];
        folders.iter().for_each(|folder| copy(&root.join(folder), &tree.join(folder)));
        let readme = fs::read_to_string(root.join("examples/challenge/README.md")).expect("there is a README");
        let build = |(language, component): &(&str, &str)| {
            let command = command_after(&readme, &format!("in `{language}`"));
            if *language == "rust" {
                return rust(&root.join("examples/challenge/rust"), command, component);
            }
            let folder = tree.join("examples/challenge").join(language);
            let inputs = [&folder, &tree.join("host/templates").join(language), &tree.join("wit")];
            built(&folder, &inputs.map(PathBuf::as_path), command, component)
        };
        EXAMPLES.iter().map(build).collect()
    })
}

fn example(language: &str) -> &'static Path {
    let at = EXAMPLES.iter().position(|(known, _)| *known == language).expect("an example");
    &examples()[at]
}

/// Returns the 32-bit FNV-1a hash.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |value, byte| (value ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Counts of the site: nonces issued, answers accepted, answers rejected.
type Counts = Arc<Mutex<BTreeMap<String, [u64; 3]>>>;

/// The server of the challenge. The key of a user is `secret of` and the user's number, which is in the query.
fn challenge() -> (RawServer, Counts) {
    let counts = Counts::default();
    let seen = Arc::clone(&counts);
    let server = RawServer::start(move |request: &RawRequest| {
        let target = request.line.split(' ').nth(1).unwrap_or_default();
        let (path, user) = target.split_once("?user=").unwrap_or((target, ""));
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = seen.entry(path.to_owned()).or_default();
        if request.line.starts_with("GET ") {
            counts[0] += 1;
            let nonce = format!("nonce-{}", counts[0]);
            return format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{nonce}", nonce.len()).into_bytes();
        }
        let answer = String::from_utf8_lossy(&request.body);
        let (nonce, sum) = answer.split_once(' ').unwrap_or_default();
        let right = format!("{:08x}", checksum(&format!("{nonce}secret of {user}")));
        let accepted = !sum.is_empty() && right.starts_with(sum);
        counts[if accepted { 1 } else { 2 }] += 1;
        if accepted {
            return b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
        }
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_vec()
    });
    (server, counts)
}

#[test]
fn four_languages_in_one_script_do_the_same_work() {
    let (server, counts) = challenge();
    let mut script = String::from("plugins:\n");
    for ((language, _), component) in EXAMPLES.iter().zip(examples()) {
        let limits = if *language == "javascript" { ", limits: {memory: 128MiB}" } else { "" };
        script += &format!("  {language}: {{source: '{}', allow: [127.0.0.1]{limits}}}\n", component.display());
    }
    script += "steps:\n";
    for ((language, _), digits) in EXAMPLES.iter().zip([8, 8, 4, 1]) {
        let step = |name: &str, key: &str| {
            format!(
                "  - {{name: {name}, action: challenge-{language}, url: '/{name}?user={{{{userId}}}}', \
                 key: '{key}', digits: {digits}}}\n"
            )
        };
        script += &step(language, "secret of {{userId}}");
        script += &step(&format!("{language}-wrong"), "wrong");
    }
    let run = shooter().script(&script).args("--users 20 --iterations 5 --workers 2 --base-url");
    let run = run.arg(server.base_url()).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (language, _) in EXAMPLES {
        let row = report.row(language);
        assert_eq!((row.ok(), row.err()), (200, 0), "{language}: {}", run.stdout);
        assert_eq!(counts[&format!("/{language}")], [100, 100, 0], "{language}");
        let wrong = report.row(&format!("{language}-wrong"));
        let [given, accepted, rejected] = counts[&format!("/{language}-wrong")];
        // One digit of the checksum is right by chance now and then.
        assert_eq!((given, accepted + rejected), (100, 100), "{language}");
        assert_eq!((wrong.ok(), wrong.err()), (given + accepted, rejected), "{language}");
        assert!(rejected > 50, "{language}: {rejected}");
        assert_eq!(wrong.errors(), [("check", rejected)].into(), "{language}");
        assert_eq!(wrong.example("check"), "the answer was refused", "{language}");
        assert_eq!(report.traps(language), (0, 0));
    }
    assert_eq!(server.take().len() as u64, 8 * 200);
}

#[test]
fn the_cases_of_the_challenge_hold_in_every_language() {
    let cases = fs::read_to_string(Path::new(ROOT).join("examples/challenge/cases.yml")).expect("there are cases");
    for (language, _) in EXAMPLES {
        let cases = cases.replace("challenge-rust", &format!("challenge-{language}"));
        let run = shooter().file("cases.yml", cases).args("plugin test").arg(example(language)).finish().exits(0);
        assert!(run.stdout.ends_with("\n7 passed, 0 failed\n"), "{language}: {}", run.stdout);
    }
}

#[test]
fn errors_in_a_step_have_the_same_message_in_every_language() {
    for (language, _) in EXAMPLES {
        let script = format!(
            "plugins: {{it: '{}'}}\nsteps:\n  - {{name: S, action: challenge-{language}, url: 'http://a/', key: k, digits: 9}}\n  \
             - {{name: T, action: challenge-{language}, url: 'http://a/{{{{nonsense}}}}', key: k}}\n",
            example(language).display()
        );
        let run = shooter().args("check").script(&script).finish().exits(3);
        assert!(run.stderr.contains("`digits` must be from 1 to 8, got 9"), "{language}: {}", run.stderr);
        assert!(run.stderr.contains("script.yml:3:"), "{language}: {}", run.stderr);
        assert!(run.stderr.contains("script.yml:4:") && run.stderr.contains("nonsense"), "{language}: {}", run.stderr);
    }
}

#[test]
fn every_language_conforms_to_the_contract() {
    let cases = fs::read_to_string(Path::new(ROOT).join("examples/challenge/cases.yml")).expect("there are cases");
    for (language, _) in EXAMPLES {
        let cases = cases.replace("challenge-rust", &format!("challenge-{language}"));
        let run = shooter().file("cases.yml", cases).args("plugin test --conformance").arg(example(language));
        let run = run.finish().exits(0);
        let end = "\n7 passed, 0 failed, 1 not tried: the cases have no part for them\n";
        assert!(run.stdout.ends_with(end), "{language}: {}", run.stdout);
    }
}

/// Creates a plugin of a kind, builds it as its README says, tests it and runs its script.
#[track_caller]
fn begun(language: &str, kind: &str) -> Finished {
    let tools = tools();
    let folder = tools.join("new").join(format!("{language}-{kind}")).join("my-plugin");
    let _ = fs::remove_dir_all(&folder);
    let new = shooter().args("plugin new my-plugin --lang").arg(language).arg("--kind").arg(kind).arg("--into");
    new.arg(folder.parent().expect("it has one")).finish().exits(0);
    let readme = fs::read_to_string(folder.join("README.md")).expect("there is a README");
    let component = built(&folder, &[&folder], command_after(&readme, "- Build"), "my_plugin.wasm");
    fs::copy(component, folder.join("my_plugin.wasm")).expect("it can be copied");
    let tested = shooter().current_dir(&folder).args("plugin test my_plugin.wasm").finish().exits(0);
    assert!(tested.stdout.ends_with("\n3 passed, 0 failed\n"), "{}", tested.stdout);
    let site = site();
    let script = fs::read_to_string(folder.join("script.yml")).expect("there is a script");
    let address = site.base_url().replace("http://", "");
    fs::write(folder.join("here.yml"), script.replace("127.0.0.1:8080", &address)).expect("the folder is writable");
    let run = shooter().current_dir(&folder).args("--script here.yml --users 5 --iterations 4").report();
    let run = run.finish().exits(0);
    let report = run.report();
    if kind == "http" {
        report.assert_equals(&settled(&site.stats()));
    }
    assert_eq!((report.row("Greeting").ok(), report.row("Greeting").err()), (20, 0), "{}", run.stdout);
    run
}

/// The bindings in plugins in C equal those that `wit-bindgen` generates from the current contract.
#[test]
fn the_bindings_for_c_are_those_of_the_contract() {
    let mut resolve = wit_bindgen_core::wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(ROOT).join("wit")).expect("the contract is lawful");
    let world = resolve.select_world(&[package], Some("plugin")).expect("it has that world");
    let mut files = wit_bindgen_core::Files::default();
    let options = wit_bindgen_c::Opts { no_object_file: true, ..Default::default() };
    options.build().generate(&mut resolve, world, &mut files).expect("it can be said in C");
    for (name, text) in files.iter() {
        let text = std::str::from_utf8(text).expect("it is a text");
        assert_golden(&Path::new(ROOT).join("host/templates/c/sdk").join(name), text);
    }
}

#[test]
fn a_new_plugin_in_python_builds_passes_its_test_and_runs() {
    ["http", "socket", "stream"].iter().for_each(|kind| drop(begun("python", kind)));
}

#[test]
fn a_new_plugin_in_javascript_builds_passes_its_test_and_runs() {
    ["http", "socket", "stream"].iter().for_each(|kind| drop(begun("javascript", kind)));
}

#[test]
fn a_new_plugin_in_c_builds_passes_its_test_and_runs() {
    ["http", "socket"].iter().for_each(|kind| drop(begun("c", kind)));
    let none = shooter().args("plugin new my-plugin --lang c --kind stream").finish().exits(2);
    assert!(
        none.stderr.starts_with("error[usage::plugin-kind]: there is no template for streams in C\n"),
        "{}",
        none.stderr
    );
}
