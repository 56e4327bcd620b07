//! The cost of a plugin in each language of `plugin new`: one action that sends a prepared request and looks at the
//! status, written in each of them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use xtask::languages;

use crate::components;
use crate::figures::{Bound, Spread};
use crate::findings::{Findings, Table};
use crate::process;
use crate::setup::{CLIENT, SERVER, Setup, number};
use crate::target::Target;

/// The languages, each with the target for one action in µs: one and a half times the prototype's time.
const LANGUAGES: [(&str, f64); 4] = [("rust", 0.9), ("c", 0.9), ("python", 9.6), ("javascript", 40.5)];

/// The number of starts with the compiled component in the cache.
const STARTS: usize = 5;

/// Builds the plugin in all four languages, and measures them in turn.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    languages::ensure()?;
    let target = Target::start(setup, Some(SERVER), false)?;
    let mut findings = Findings::new(format!(
        "The same action in four languages: a prepared request, and a look at the status. µs per action are those \
         inside the guest, for `start`, the request and `resume`, with 64 users on one core: the least of {} runs. \
         Memory is what a second worker adds. A first start compiles the component.",
        setup.rounds()
    ));
    let head = ["language", "component, MiB", "µs/action", "MiB a worker", "first start, ms", "cached start, ms"];
    let mut table = Table::new(&head);
    let mut actions = Vec::new();
    for (language, most) in LANGUAGES {
        let script = script(setup, language, &target)?;
        let size = fs::metadata(&script.component).map_or(0.0, |file| file.len() as f64 / f64::from(1 << 20));
        let first = script.start(setup, true)?;
        let cached = least((0..STARTS).map(|_| script.start(setup, false)))?;
        let action = least((0..setup.rounds()).map(|_| script.action(setup)))?;
        let memory = script.peak(setup, 2)? - script.peak(setup, 1)?;
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
        findings.compare(format!("µs per action in {language}"), Spread::of([action]), Bound::AtMost(most));
    }
    Ok(findings)
}

/// A script with one step, in one language.
struct Script {
    path: PathBuf,
    /// The plugin that the step uses.
    component: PathBuf,
}

fn script(setup: &Setup, language: &str, target: &Target) -> Result<Script> {
    let component = components::build(language)?;
    let text = format!(
        "plugins: {{it: {{source: '{}', allow: [127.0.0.1], limits: {{memory: 128MiB}}}}}}\n\
         steps: [{{name: Get, action: get-{language}, url: '{}'}}]\n",
        component.display(),
        target.url()
    );
    let path = setup.write(&format!("{language}.yml"), text)?;
    Ok(Script { path, component })
}

impl Script {
    /// Returns the milliseconds from the start of the program to its end, with one request. `first` empties the cache.
    fn start(&self, setup: &Setup, first: bool) -> Result<f64> {
        let cache = setup.folder().join("languages-cache");
        if first && cache.exists() {
            fs::remove_dir_all(&cache).with_context(|| format!("cannot remove `{}`", cache.display()))?;
        }
        let mut command = setup.load_runner(&self.path, None);
        command.args(["--users", "1", "--iterations", "1"]).env("STAMPEDE_CACHE_DIR", &cache);
        Ok(process::wall(&mut command, &setup.folder().join("client.log"))?.as_secs_f64() * 1e3)
    }

    /// Returns the µs inside the guest for one action.
    fn action(&self, setup: &Setup) -> Result<f64> {
        let mut command = setup.load_runner(&self.path, Some(CLIENT));
        command.args(["--workers", "1", "--users", "64", "--duration", &format!("{}s", setup.seconds())]);
        let (_, report) = setup.report(&mut command)?;
        let inside = number(&report, "/generator/guests/0/time_us").context("no guest was called")?;
        Ok(inside / number(&report, "/totals/requests/ok").context("the report has no requests")?)
    }

    /// Returns the peak memory in KiB with a number of workers, each of which has an instance.
    fn peak(&self, setup: &Setup, workers: u32) -> Result<f64> {
        let workers = workers.to_string();
        let mut command = setup.load_runner(&self.path, None);
        command.args(["--workers", &workers, "--users", &workers, "--rps", "1000", "--duration", "2s"]);
        Ok(setup.report(&mut command)?.0.peak)
    }
}

fn least(figures: impl Iterator<Item = Result<f64>>) -> Result<f64> {
    figures.collect::<Result<Vec<_>, _>>().map(|figures| figures.into_iter().fold(f64::INFINITY, f64::min))
}
