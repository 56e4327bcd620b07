//! The inputs that a search begins with: files of the repository that the target's parser reads, and the texts in
//! `tests/fuzz/seeds`.

use std::fs;
use std::path::{Path, PathBuf};

use xtask::workspace::root;

/// The largest file that is a seed, in bytes: changes of larger ones say little and take long.
const LARGEST: u64 = 64 << 10;

/// Returns the seeds of a target, in the order of their paths; never none.
///
/// # Panics
/// If the target has no seed, or one cannot be read.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut files = files_below(&root().join("tests/fuzz/seeds").join(target));
    files.extend(of_repository(target));
    files.retain(|file| fs::metadata(file).is_ok_and(|file| file.len() <= LARGEST));
    assert!(!files.is_empty(), "the target `{target}` has no seed in `tests/fuzz/seeds/{target}`");
    let read = |file: &PathBuf| fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    files.iter().map(read).collect()
}

/// Returns the files of the repository that a target's parser reads.
fn of_repository(target: &str) -> Vec<PathBuf> {
    let with_suffix = |folder: &str, suffix: &str| {
        let mut files = files_below(&root().join(folder));
        files.retain(|file| file.to_string_lossy().ends_with(suffix));
        files
    };
    match target {
        "script" => ["tests/scripts", "examples"].iter().flat_map(|folder| with_suffix(folder, ".yml")).collect(),
        "cases" => ["host/templates", "examples"].iter().flat_map(|folder| with_suffix(folder, "cases.yml")).collect(),
        "params-schema" => with_suffix("plugins/http/schema", ".json"),
        "manifest" => with_suffix("plugins/stream/manifest/tests/fixtures", ""),
        "playlist" => with_suffix("plugins/stream/manifest/tests/fixtures/hls", ".m3u8"),
        _ => Vec::new(),
    }
}

/// Returns the files below a folder, in order; none if it does not exist.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
    found.sort();
    found
}
