//! Components that are broken or hostile: whatever a file holds, loading it ends in a message and exit code 4, within
//! the caps that the script sets, and never in a crash.

use std::fmt::Write as _;
use std::fs;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use stampede_tests::{Run, guest, heavy_component, large_component, site};

use crate::shooter;

/// Damaged files in one run, which are compiled in parallel, one on each core.
const DAMAGED: usize = 32;

/// Returns a call of `check` with these components as plugins and no cache.
fn with_plugins(components: &[(String, Vec<u8>)]) -> Run {
    let mut script = "base_url: http://127.0.0.1:1\nsteps: [{name: Page, url: /}]\nplugins:\n".to_owned();
    let mut run = shooter().env("STAMPEDE_CACHE_DIR", "");
    for (name, component) in components {
        // Writing to a `String` cannot fail.
        let _ = writeln!(script, "  {name}: {name}.wasm");
        run = run.file(&format!("{name}.wasm"), component);
    }
    run.file("script.yml", script).args("check --script script.yml")
}

#[test]
fn a_component_that_takes_too_long_or_too_much_to_compile_is_rejected_by_the_name_of_the_limit() {
    let script = "plugins:
  slow: {source: slow.wasm, limits: {compile_time: 1s}}
  large: {source: large.wasm, limits: {compile_memory: 256MiB}}
steps: [{name: Page, url: /}]
";
    let run = shooter()
        .env("STAMPEDE_CACHE_DIR", "")
        .file("slow.wasm", heavy_component(1, 10_000, 1_000))
        .file("large.wasm", heavy_component(1, 20_000, 20_000))
        .script(script)
        .finish()
        .exits(4);
    let expected = "error[plugin::load]: plugin `slow` does not load: compiling it takes more than 1s
 --> script.yml:2:18
  |
2 |   slow: {source: slow.wasm, limits: {compile_time: 1s}}
  |                  ^^^^^^^^^ this file
  |
  = help: if you trust it, allow it more: `limits: {compile_time: 4s}`

error[plugin::load]: plugin `large` does not load: compiling it takes more than 256MiB of memory
 --> script.yml:3:19
  |
3 |   large: {source: large.wasm, limits: {compile_memory: 256MiB}}
  |                   ^^^^^^^^^^ this file
  |
  = help: if you trust it, allow it more: `limits: {compile_memory: 512MiB}`
";
    assert_eq!(run.stderr, expected);
}

#[test]
fn a_component_that_is_cut_short_is_rejected_wherever_the_cut_is() {
    let whole = fs::read(guest("every_capability")).expect("the guest is there");
    let cuts = (0..DAMAGED).map(|at| (format!("cut{at}"), whole[..at * whole.len() / DAMAGED].to_vec()));
    let run = with_plugins(&cuts.collect::<Vec<_>>()).finish().exits(4);
    assert_eq!(run.stderr.matches("error[plugin::load]").count(), DAMAGED, "{}", run.stderr);
    assert_calm(&run.stderr);
}

/// A flipped bit may also change nothing that matters, or only the plugin's later behaviour.
#[test]
fn a_component_with_flipped_bits_never_crashes_the_host() {
    let whole = fs::read(guest("every_capability")).expect("the guest is there");
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let flipped = (0..DAMAGED).map(|at| {
        let mut component = whole.clone();
        // The bytes near the front describe the rest; a flipped bit there is seldom harmless.
        let near = if at % 2 == 0 { component.len() } else { 4096 };
        let place = random.random_range(8..near);
        component[place] ^= 1 << random.random_range(0..8);
        (format!("flip{at}"), component)
    });
    let run = with_plugins(&flipped.collect::<Vec<_>>()).finish().exits(4);
    assert!(run.stderr.matches("error[plugin::load]").count() >= DAMAGED / 4, "{}", run.stderr);
    assert_calm(&run.stderr);
}

/// Checks that every message is one line, and that none reports a bug.
#[track_caller]
fn assert_calm(said: &str) {
    for bug in ["panicked", "internal", "crashed", "compiler failed", "RUST_BACKTRACE"] {
        assert!(!said.contains(bug), "{said}");
    }
}

#[test]
fn compiled_code_is_not_a_plugin() {
    let engine = wasmtime::Engine::default();
    let code = engine.precompile_component(b"\0asm\x0d\0\x01\0").expect("the smallest component compiles");
    let run = with_plugins(&[("code".into(), code)]).finish().exits(4);
    let rejected =
        "plugin `code` does not load: it is compiled code, which cannot be verified; only components are accepted";
    assert!(run.stderr.starts_with(&format!("error[plugin::load]: {rejected}\n")), "{}", run.stderr);
}

#[test]
#[cfg(unix)]
fn a_file_larger_than_any_component_is_not_read_to_its_end() {
    let run = with_plugins(&[]).file("script.yml", "{plugins: {zeros: /dev/zero}, steps: [{name: Page, url: /}]}\n");
    let run = run.finish().exits(4);
    assert!(run.stderr.contains("plugin `zeros` does not load: it is larger than 64 MiB\n"), "{}", run.stderr);
}

#[test]
fn damaged_code_in_the_cache_is_never_run_and_compiled_again() {
    let (site, cache) = (site(), tempfile::tempdir().expect("a folder"));
    let run = || {
        let run = shooter().env("STAMPEDE_CACHE_DIR", &cache.path().display().to_string());
        run.script("- {name: Page, url: /bytes/1}\n").arg("--base-url").arg(site.base_url()).finish().exits(0)
    };
    run();
    let entries = fs::read_dir(cache.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let entries: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "cwasm")).collect();
    let [entry] = &entries[..] else { panic!("one plugin is in use: {entries:?}") };
    let good = fs::read(entry).expect("the cached code");
    let flipped = |at: usize| {
        let mut damaged = good.clone();
        damaged[at] ^= 0x10;
        damaged
    };
    let cut = good[..good.len() / 2].to_vec();
    for damaged in [flipped(good.len() / 3), flipped(good.len() / 2), flipped(good.len() - 1), cut] {
        fs::write(entry, &damaged).expect("the cached code can be damaged");
        let stderr = run().stderr;
        assert!(stderr.contains("compiled code in the cache was damaged, and is compiled again"), "{stderr}");
        assert!(fs::read(entry).expect("the cached code") != damaged);
    }
    assert_eq!(run().stderr, "", "what was compiled again is good");
}

/// Returns the number of functions in the pack of a cache folder: each has a key and a length in front.
fn kept_functions(pack: &[u8]) -> usize {
    let (mut rest, mut count) = (&pack[..pack.len() - 32], 0);
    while let Some((length, after)) = rest.get(32..).and_then(<[u8]>::split_first_chunk::<4>) {
        rest = &after[u32::from_le_bytes(*length) as usize..];
        count += 1;
    }
    count
}

#[test]
fn an_edit_of_a_large_component_compiles_only_the_functions_that_have_changed() {
    let cache = tempfile::tempdir().expect("a folder");
    let pack = || {
        let entries = fs::read_dir(cache.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
        let packs: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "pack")).collect();
        let [pack] = &packs[..] else { panic!("one pack: {packs:?}") };
        pack.clone()
    };
    // It compiles, and is not a plugin.
    let kept_after = |numbers: &[i32]| {
        let run = with_plugins(&[("large".into(), large_component(numbers))]);
        let run = run.env("STAMPEDE_CACHE_DIR", &cache.path().display().to_string()).finish().exits(4);
        assert_calm(&run.stderr);
        assert!(
            run.stderr.contains("plugin `large` does not load: it is a component, but not a plugin"),
            "{}",
            run.stderr
        );
        fs::read(pack()).expect("the pack")
    };
    let numbers: Vec<i32> = (1000..1040).collect();
    let first = kept_after(&numbers);
    let count = kept_functions(&first);
    assert!(count >= numbers.len(), "{count}");
    let edited = kept_after(&[&numbers[..39], &[7]].concat());
    assert_eq!(kept_functions(&edited), count + 1);
    assert_eq!(kept_after(&numbers[1..]), edited, "nothing is new in it");

    // A damaged pack is not used: only the functions of this component are in the next one.
    for at in [40, edited.len() / 2, edited.len() - 1] {
        let mut damaged = edited.clone();
        damaged[at] ^= 1;
        fs::write(pack(), damaged).expect("the pack can be damaged");
        assert_eq!(kept_functions(&kept_after(&[&numbers[..], &[at as i32]].concat())), count + 1);
    }
}
