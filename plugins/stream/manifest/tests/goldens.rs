//! Manifests and what the readers make of them, as text: `NAME.m3u8` or `NAME.mpd` beside `NAME.golden`. A first line
//! `# previous: FILE` reads a delta update onto another file. `BLESS=1` renews the goldens; the diff is for you to
//! read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::{env, fs};

use viewer_core::{ByteRange, Micros, Playlist, Presentation, Resource, Rung, SECOND, Source};
use viewer_manifest::{ManifestError, PlaylistContext, Warning, read_manifest, read_playlist};

/// The folder of the URLs from which fixtures come.
const FOLDER: &str = "https://site/a/b";

/// The wall clock at which windows are asked for: 2026-12-01T00:00:00Z.
const WALL: Micros = 1_796_083_200 * SECOND;

#[test]
fn manifests_are_read_as_their_goldens_say() {
    let mut wrong = Vec::new();
    for file in fixtures() {
        let golden = file.with_extension("golden");
        let text = render(&file);
        if env::var_os("BLESS").is_some() {
            fs::write(&golden, &text).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != text {
            wrong.push(format!("{}\n{text}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "renew with BLESS=1 and read the diff:\n{}", wrong.join("\n"));
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> = files.filter(|file| file.extension().is_none_or(|it| it != "golden")).collect();
    files.sort();
    assert!(files.len() > 20, "the fixtures were found");
    files
}

fn render(file: &Path) -> String {
    let bytes = fs::read(file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let url = format!("{FOLDER}/{name}?token=a%2Fb");
    let previous =
        String::from_utf8_lossy(&bytes).lines().find_map(|line| Some(line.strip_prefix("# previous: ")?.to_owned()));
    let mut output = String::new();
    if let Some(previous) = previous {
        let context = PlaylistContext { url: &url, ..PlaylistContext::default() };
        let before = read_playlist(&fs::read(file.with_file_name(previous)).unwrap(), &context).unwrap().value;
        match read_playlist(&bytes, &PlaylistContext { previous: Some(&before), ..context }) {
            Ok(noted) => {
                warnings(&mut output, &noted.warnings);
                playlist(&mut output, &noted.value);
            }
            Err(error) => failure(&mut output, &error),
        }
        return output;
    }
    match read_manifest(&bytes, &url, None::<&Rc<Presentation>>) {
        Ok(noted) => {
            warnings(&mut output, &noted.warnings);
            presentation(&mut output, &noted.value.presentation);
            if let Some(entry) = &noted.value.entry {
                playlist(&mut output, entry);
            }
        }
        Err(error) => failure(&mut output, &error),
    }
    output
}

fn failure(output: &mut String, error: &ManifestError) {
    writeln!(output, "error: {error}{}", if error.needs_whole { " [needs the whole playlist]" } else { "" }).unwrap();
}

fn warnings(output: &mut String, warnings: &[Warning]) {
    for warning in warnings {
        writeln!(output, "warning: {warning}").unwrap();
    }
}

fn presentation(output: &mut String, presentation: &Presentation) {
    let Presentation { tracks, live, clocks, start, variables, steering, .. } = presentation;
    for (name, value) in [
        ("live", live.as_ref().map(|live| format!("{live:?}"))),
        ("clocks", (!clocks.is_empty()).then(|| format!("{clocks:?}"))),
        ("start", start.map(seconds)),
        ("variables", (!variables.is_empty()).then(|| format!("{variables:?}"))),
        ("steering", steering.as_ref().map(|steering| format!("{steering:?}"))),
    ] {
        if let Some(value) = value {
            writeln!(output, "{name}: {value}").unwrap();
        }
    }
    for track in tracks {
        let language = track.language.as_deref().unwrap_or("-");
        let default = if track.is_default { " default" } else { "" };
        writeln!(output, "track {:?} {language}{default}", track.kind).unwrap();
        for rung in &track.rungs {
            self::rung(output, rung);
        }
    }
}

fn rung(output: &mut String, rung: &Rung) {
    write!(output, "  rung {}", rung.bandwidth).unwrap();
    if let (Some(width), Some(height)) = (rung.width, rung.height) {
        write!(output, " {width}x{height}").unwrap();
    }
    for (name, value) in [
        ("average", rung.average.map(|it| it.to_string())),
        ("codecs", Some(rung.codecs.to_string()).filter(|it| !it.is_empty())),
        ("group", (rung.group != 0).then(|| rung.group.to_string())),
        ("audio", rung.audio.map(|it| it.to_string())),
        ("subtitles", rung.subtitles.map(|it| it.to_string())),
    ] {
        if let Some(value) = value {
            write!(output, " {name}={value}").unwrap();
        }
    }
    writeln!(output).unwrap();
    for source in std::iter::once(&rung.source).chain(&rung.backups) {
        self::source(output, source);
    }
}

fn source(output: &mut String, source: &Source) {
    match source {
        Source::Remote { url, pathway } => writeln!(output, "    {url} ({pathway})").unwrap(),
        Source::Listed(list) => playlist(output, list),
        Source::Indexed(indexed) => writeln!(output, "    {indexed:?}").unwrap(),
        Source::Parts(parts) => parts.iter().for_each(|part| self::source(output, part)),
        Source::InVariant => writeln!(output, "    in the variant").unwrap(),
    }
}

fn playlist(output: &mut String, list: &Playlist) {
    let numbers = list.numbers();
    writeln!(output, "    playlist {numbers:?} window {:?} {:?}", list.window(WALL), list.schedule()).unwrap();
    let shown = list.window(WALL).take(12).filter_map(|number| list.segment(number));
    for segment in shown {
        let place = resource(&list.resource(segment.number, 0).unwrap());
        write!(output, "    {} {}+{} {place}", segment.number, seconds(segment.start), seconds(segment.duration))
            .unwrap();
        for (name, value) in [
            ("disc", (segment.discontinuity != 0).then(|| segment.discontinuity.to_string())),
            ("init", segment.init.and_then(|index| list.init(index, 0)).map(|init| resource(&init))),
            ("key", segment.key.and_then(|index| list.key(index)).map(|key| resource(&key))),
            ("wall", segment.wall.map(seconds)),
            ("from", segment.available_at.map(seconds)),
            ("gap", segment.is_gap.then(String::new)),
            ("chunked", segment.is_chunked.then(String::new)),
        ] {
            if let Some(value) = value {
                write!(output, " {name}={value}").unwrap();
            }
        }
        writeln!(output).unwrap();
        parts(output, list, segment.number);
    }
    if numbers.end != u64::MAX {
        parts(output, list, numbers.end);
    }
    if let Some(hint) = list.hint() {
        writeln!(output, "    hint {}", resource(&hint)).unwrap();
    }
    for report in list.reports() {
        writeln!(output, "    {report:?}").unwrap();
    }
}

fn parts(output: &mut String, list: &Playlist, number: u64) {
    for index in 0..list.part_count(number) {
        let (part, place) = (list.part(number, index).unwrap(), list.part_resource(number, index).unwrap());
        let flags = [(part.is_independent, " independent"), (part.is_gap, " gap")];
        let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        writeln!(output, "      part {number}.{index} {} {}{flags}", seconds(part.duration), resource(&place)).unwrap();
    }
}

/// Writes a URL, without the folder that most share, and its bytes.
fn resource(resource: &Resource) -> String {
    let url = resource.url.strip_prefix(FOLDER).and_then(|url| url.strip_prefix('/')).unwrap_or(&resource.url);
    let range = resource.range.map(|ByteRange { start, length }| format!("[{length}@{start}]"));
    format!("{url}{}", range.unwrap_or_default())
}

fn seconds(micros: Micros) -> String {
    format!("{}.{:06}", micros.div_euclid(SECOND), micros.rem_euclid(SECOND))
}
