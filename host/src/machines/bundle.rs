//! The bundle that a run's machines fetch: the script, the files that it names, and the flags that shape the load. Each
//! is an object under its digest, and the digest of all of them is what the coordinator compares at the barrier.
//!
//! The files are those whose relative paths are texts of the script, or of a file that it includes. Paths from the root
//! of the file system name files that each machine has of its own. Values of variables do not travel, since a
//! template's `{{env NAME}}` is resolved where the load is made; a script with a secret typed into it is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stampede_fleet::PlanObject;

use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, SourceText, hide_literal_secrets, io_reason};
use crate::plugin::load::identify::sha256;
use crate::plugin::load::lock_file::LOCK_FILE_NAME;
use crate::script::model::{NodeValue, Spanned};
use crate::script::{model, yaml};

/// The name of the object with the settings.
pub(super) const SETTINGS: &str = "settings";

/// The most bytes that travel in all.
const MAX_BYTES: u64 = 1 << 30;

/// The most files that travel.
const MAX_FILES: usize = 1_000;

/// The longest text that may be a path.
const MAX_PATH: usize = 4_096;

/// The settings of a run as they travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TravelSettings {
    /// The path of the script among the files.
    pub(super) script: String,
    /// The flags that shape the load.
    pub(super) flags: Vec<String>,
    /// The files of data sets that flags name, by the names of the sets.
    pub(super) data: Vec<(String, String)>,
    /// The file of authorities that a flag names.
    pub(super) cacert: Option<String>,
}

/// Everything that travels.
pub(crate) struct Bundle {
    objects: BTreeMap<String, Vec<u8>>,
}

/// The files of a script while they are collected.
struct Collector<'a> {
    /// The folder of the script.
    folder: &'a Path,
    /// Paths relative to that folder, with their contents.
    files: BTreeMap<PathBuf, Vec<u8>>,
    bytes: u64,
}

impl Bundle {
    /// Collects what a script needs, with the flags that shape its load.
    ///
    /// # Errors
    /// A file cannot be read, there is too much of it, or the script has a secret in it.
    pub(crate) fn collect(source: &Arc<SourceText>, args: &RunArgs, flags: Vec<String>) -> Result<Self, Diagnostic> {
        check_secrets(source)?;
        let folder = Path::new(&source.name).parent().map(Path::to_path_buf).unwrap_or_default();
        let mut collector = Collector { folder: &folder, files: BTreeMap::new(), bytes: source.text.len() as u64 };
        collector.of_script(source)?;
        if folder.join(LOCK_FILE_NAME).is_file() {
            collector.add(LOCK_FILE_NAME)?;
        }
        let Collector { files, mut bytes, .. } = collector;
        // Paths may lead above the script's folder: the script is as deep as the highest of them asks for.
        let depth = files.keys().map(|path| above(path)).max().unwrap_or(0);
        let place = (0..depth).map(|level| format!("d{level}")).collect::<PathBuf>();
        let script = place.join("script.yml");
        let mut objects = BTreeMap::new();
        for (path, content) in files {
            objects.insert(object_name(&inside(&place, &path)), content);
        }
        objects.insert(object_name(&script), source.text.clone().into_bytes());
        let mut flag_file = |name: String, file: &Path| {
            let content = read(file, &mut bytes)?;
            objects.insert(object_name(Path::new(&name)), content);
            Ok::<_, Diagnostic>(name)
        };
        let mut data = Vec::new();
        for (number, set) in args.data.iter().enumerate() {
            let extension = set.file.extension().and_then(|end| end.to_str()).unwrap_or("csv");
            data.push((set.name.clone(), flag_file(format!("flags/data-{number}.{extension}"), &set.file)?));
        }
        let cacert = args.cacert.as_deref().map(|file| flag_file("flags/cacert.pem".into(), file)).transpose()?;
        let settings = TravelSettings { script: slashes(&script), flags, data, cacert };
        objects.insert(SETTINGS.into(), serde_json::to_vec(&settings).unwrap_or_default());
        Ok(Self { objects })
    }

    /// Returns the objects as the plan lists them, with their contents.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (PlanObject, &[u8])> {
        self.objects.iter().map(|(name, content)| {
            let object = PlanObject { name: name.clone(), sha256: sha256(content), bytes: content.len() as u64 };
            (object, content.as_slice())
        })
    }

    /// Returns the digest of everything.
    pub(crate) fn digest(&self) -> String {
        digest(self.objects().map(|(object, _)| (object.name, object.sha256)))
    }

    /// Returns a bundle of objects that were fetched and are those of the plan.
    pub(super) const fn of(objects: BTreeMap<String, Vec<u8>>) -> Self {
        Self { objects }
    }

    /// Writes the files below a folder, and returns the settings.
    ///
    /// # Errors
    /// A file cannot be written, or its path leads elsewhere; the text says why.
    pub(super) fn unpack(&self, folder: &Path) -> Result<TravelSettings, String> {
        let settings = self.objects.get(SETTINGS).ok_or("the plan has no settings")?;
        let settings =
            serde_json::from_slice(settings).map_err(|error| format!("the settings are damaged: {error}"))?;
        for (name, content) in &self.objects {
            let Some(path) = name.strip_prefix("file:") else { continue };
            if path.is_empty() || Path::new(path).components().any(|part| !matches!(part, Component::Normal(_))) {
                return Err(format!("the plan has a file `{}`", path.escape_default()));
            }
            let path = folder.join(path);
            let parent = path.parent().unwrap_or(folder);
            let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, content));
            written.map_err(|error| format!("cannot write `{}`: {}", path.display(), io_reason(&error)))?;
        }
        Ok(settings)
    }
}

impl Collector<'_> {
    /// Adds the files that a script names, and those that they name if they are scripts.
    fn of_script(&mut self, source: &Arc<SourceText>) -> Result<(), Diagnostic> {
        let Ok(root) = yaml::read(source) else { return Ok(()) };
        let mut texts = BTreeSet::new();
        collect_texts(&root.value, &mut texts);
        for text in texts {
            let path = Path::new(&text);
            if path.is_absolute() || self.files.contains_key(path) || !self.folder.join(path).is_file() {
                continue;
            }
            let content = self.add(&text)?;
            let is_script = path.extension().is_some_and(|end| end == "yml" || end == "yaml");
            if let (true, Ok(content)) = (is_script, String::from_utf8(content)) {
                let included = Arc::new(SourceText { name: text, text: content });
                check_secrets(&included)?;
                self.of_script(&included)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str) -> Result<Vec<u8>, Diagnostic> {
        if self.files.len() >= MAX_FILES {
            return Err(Diagnostic::new("usage::fleet", format!("the script names more than {MAX_FILES} files")));
        }
        let content = read(&self.folder.join(path), &mut self.bytes)?;
        self.files.insert(path.into(), content.clone());
        Ok(content)
    }
}

/// Returns the digest of objects, by their names and digests.
pub(super) fn digest(objects: impl Iterator<Item = (String, String)>) -> String {
    let mut lines: Vec<String> = objects.map(|(name, sha256)| format!("{name} {sha256}\n")).collect();
    lines.sort_unstable();
    sha256(lines.concat().as_bytes())
}

/// Refuses a script with a secret in it: everyone who may read the bus could read it.
fn check_secrets(source: &SourceText) -> Result<(), Diagnostic> {
    if hide_literal_secrets(&source.text) == source.text {
        return Ok(());
    }
    let message = format!("`{}` has a secret typed into it, which would travel to all machines", source.name);
    Err(Diagnostic::new("usage::fleet", message)
        .help("write `{{env NAME}}` in its place, and set NAME on each machine, or in a file for its `--env-file`"))
}

fn read(path: &Path, bytes: &mut u64) -> Result<Vec<u8>, Diagnostic> {
    let unreadable =
        |reason: String| Diagnostic::new("usage::fleet", format!("cannot read `{}`: {reason}", path.display()));
    let length = fs::metadata(path).map_err(|error| unreadable(io_reason(&error)))?.len();
    *bytes = bytes.saturating_add(length);
    if *bytes > MAX_BYTES {
        let message = format!("the files of the script have more than {} MiB", MAX_BYTES >> 20);
        return Err(Diagnostic::new("usage::fleet", message)
            .help("put the largest on each machine, and name it by its path from the root of the file system"));
    }
    fs::read(path).map_err(|error| unreadable(io_reason(&error)))
}

fn collect_texts(value: &NodeValue, texts: &mut BTreeSet<String>) {
    match value {
        NodeValue::String(text) if text.len() <= MAX_PATH && !text.contains(['\n', '\0']) => {
            texts.insert(text.clone());
        }
        NodeValue::List(items) => items.iter().for_each(|item| collect_texts(&item.value, texts)),
        NodeValue::Map(entries) => {
            entries.iter().for_each(|(_, item): &(Spanned<String>, model::Node)| collect_texts(&item.value, texts));
        }
        _ => {}
    }
}

/// Returns the number of folders by which a relative path leads above its start.
fn above(path: &Path) -> usize {
    let (mut level, mut highest) = (0_isize, 0);
    for part in path.components() {
        match part {
            Component::ParentDir => level -= 1,
            Component::Normal(_) => level += 1,
            _ => {}
        }
        highest = highest.min(level);
    }
    highest.unsigned_abs()
}

/// Returns a relative path as seen from the root of the files, without steps upwards.
fn inside(place: &Path, path: &Path) -> PathBuf {
    let mut parts = PathBuf::from(place);
    for part in path.components() {
        match part {
            Component::ParentDir => {
                parts.pop();
            }
            Component::Normal(name) => parts.push(name),
            _ => {}
        }
    }
    parts
}

fn object_name(path: &Path) -> String {
    format!("file:{}", slashes(path))
}

/// Returns a path with `/` between its parts on every system.
fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_files_that_a_script_names_travel_and_find_their_places() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(from.path(), "a/b/more.yml", "- {name: More, body_file: ./body.json}");
        write(from.path(), "a/b/body.json", "{}");
        write(from.path(), "a/rows.csv", "x\n1\n");
        write(from.path(), "a/other.csv", "");
        let text = "data: {rows: {file: ../rows.csv}}\nsteps: [{include: more.yml}, {url: /etc/hosts}]\n";
        let name = from.path().join("a/b/test.yml").display().to_string();
        let source = Arc::new(SourceText { name, text: text.into() });
        let bundle = Bundle::collect(&source, &RunArgs::default(), vec!["--users=3".into()]).expect("it is whole");
        let names: Vec<_> = bundle.objects().map(|(object, _)| object.name).collect();
        assert_eq!(names, ["file:d0/body.json", "file:d0/more.yml", "file:d0/script.yml", "file:rows.csv", "settings"]);
        let settings = bundle.unpack(to.path()).expect("it is written");
        assert_eq!(
            (settings.script.as_str(), settings.flags.as_slice()),
            ("d0/script.yml", &["--users=3".to_owned()][..])
        );
        assert_eq!(fs::read_to_string(to.path().join("d0/../rows.csv")).unwrap(), "x\n1\n");
        let copy = Bundle::of(bundle.objects().map(|(object, content)| (object.name, content.to_vec())).collect());
        assert_eq!(copy.digest(), bundle.digest());
    }

    #[test]
    fn a_secret_does_not_travel() {
        let text = "headers: {authorization: Bearer abc}\nsteps: [{url: http://a/}]\n";
        let source = Arc::new(SourceText { name: "x.yml".into(), text: text.into() });
        let error = Bundle::collect(&source, &RunArgs::default(), Vec::new()).err().expect("it is refused");
        assert!(error.message.contains("secret") && !format!("{error:?}").contains("abc"), "{error:?}");
    }

    #[test]
    fn a_path_of_a_plan_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            TravelSettings { script: "script.yml".into(), flags: Vec::new(), data: Vec::new(), cacert: None };
        let settings = serde_json::to_vec(&settings).unwrap();
        for name in ["file:../x", "file:/etc/x", "file:", "file:a/../../x"] {
            let objects = BTreeMap::from([(SETTINGS.to_owned(), settings.clone()), (name.to_owned(), Vec::new())]);
            assert!(Bundle::of(objects).unpack(folder.path()).is_err(), "{name}");
        }
    }
}
