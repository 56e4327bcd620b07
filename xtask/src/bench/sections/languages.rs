//! What a plugin costs in each language that one can be begun in: the same action, which sends a prepared request and
//! looks at the status, so that what differs is the language.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::figures::{Bound, Spread};
use super::super::lab::{CLIENT, Lab, SERVER};
use super::super::process;
use super::super::report::number;
use super::super::table::{Findings, Table};
use super::super::target::Target;
use crate::languages;
use crate::step::Failure;

/// Each language, and the most µs that one action should take: one and a half times what the prototype took.
const LANGUAGES: [(&str, f64); 4] = [("rust", 0.9), ("c", 0.9), ("python", 9.6), ("javascript", 40.5)];

/// Starts with the compiled component in the cache.
const STARTS: usize = 5;

/// Builds all four, then measures them in turn.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    languages::ensure()?;
    let target = Target::start(lab, Some(SERVER), false)?;
    let mut findings = Findings::new(format!(
        "The same action in four languages: a prepared request, and a look at the status. µs per action are those inside \
         the guest, for `start`, the request and `resume`, with 64 users on one core: the least of {} runs. Memory is what \
         a second worker adds. A first start compiles the component.",
        lab.rounds()
    ));
    let head = ["language", "component, MiB", "µs/action", "MiB a worker", "first start, ms", "cached start, ms"];
    let mut table = Table::new(&head);
    let mut actions = Vec::new();
    for (language, most) in LANGUAGES {
        let script = script(lab, language, &target)?;
        let size = fs::metadata(&script.component).map_or(0.0, |file| file.len() as f64 / f64::from(1 << 20));
        let first = script.start(lab, true)?;
        let cached = least((0..STARTS).map(|_| script.start(lab, false)))?;
        let action = least((0..lab.rounds()).map(|_| script.action(lab)))?;
        let memory = script.peak(lab, 2)? - script.peak(lab, 1)?;
        table.row([
            language.to_owned(),
            format!("{size:.2}"),
            format!("{action:.2}"),
            format!("{:.1}", memory / 1024.0),
            format!("{first:.0}"),
            format!("{cached:.0}"),
        ]);
        actions.push((language, action, most));
    }
    findings.table(table);
    for (language, action, most) in actions {
        findings.hold(format!("µs per action in {language}"), Spread::of([action]), Bound::AtMost(most));
    }
    Ok(findings)
}

/// A script of one step in one language.
struct Script {
    path: PathBuf,
    component: PathBuf,
}

fn script(lab: &Lab, language: &str, target: &Target) -> Result<Script, Failure> {
    let component = languages::build(language)?;
    let text = format!(
        "plugins: {{it: {{source: '{}', allow: [127.0.0.1], limits: {{memory: 128MiB}}}}}}\n\
         steps: [{{name: Get, action: get-{language}, url: '{}'}}]\n",
        component.display(),
        target.url()
    );
    let path = lab.write(&format!("{language}.yml"), text.as_bytes())?;
    Ok(Script { path, component })
}

impl Script {
    /// Milliseconds from the start of the program to its end, with one request.
    fn start(&self, lab: &Lab, first: bool) -> Result<f64, Failure> {
        let cache = lab.folder().join("languages-cache");
        if first && cache.exists() {
            fs::remove_dir_all(&cache).map_err(|error| failed(&cache, &error))?;
        }
        let mut command = lab.ours(&self.path, None);
        command.args(["--users", "1", "--iterations", "1"]).env("STAMPEDE_CACHE_DIR", &cache);
        Ok(process::wall(&mut command, &lab.folder().join("client.log"))?.as_secs_f64() * 1e3)
    }

    /// µs inside the guest for one action.
    fn action(&self, lab: &Lab) -> Result<f64, Failure> {
        let mut command = lab.ours(&self.path, Some(CLIENT));
        command.args(["--workers", "1", "--users", "64", "--duration", &format!("{}s", lab.seconds())]);
        let (_, report) = lab.report(&mut command)?;
        let inside = number(&report, &["generator", "guests", "time_us"]);
        let actions = number(&report, &["totals", "requests", "ok"]);
        inside
            .zip(actions)
            .map(|(inside, actions)| inside / actions)
            .ok_or_else(|| Failure("no guest was called".into()))
    }

    /// KiB of memory at most, with so many workers that each have their instance.
    fn peak(&self, lab: &Lab, workers: u32) -> Result<f64, Failure> {
        let workers = workers.to_string();
        let mut command = lab.ours(&self.path, None);
        command.args(["--workers", &workers, "--users", &workers, "--rps", "1000", "--duration", "2s"]);
        Ok(lab.report(&mut command)?.0.peak)
    }
}

fn least(figures: impl Iterator<Item = Result<f64, Failure>>) -> Result<f64, Failure> {
    figures.collect::<Result<Vec<_>, _>>().map(|figures| figures.into_iter().fold(f64::INFINITY, f64::min))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("cannot remove `{}`: {error}", path.display()))
}
