//! `cargo xtask bench`: measures the cost of the load runner beside its peers on one machine, and compares each figure
//! with its target. No figure fails the command; the results name each target and say if it was met.
//!
//! Linux only: processor time and memory come from `/proc`.
#![cfg(target_os = "linux")]

mod components;
mod figures;
mod findings;
mod machine;
mod options;
mod process;
mod rounds;
mod sections;
mod setup;
mod site;
mod target;
mod tools;
mod watchers;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use xtask::step;
use xtask::workspace::{build_release, ensure_target, root};

use findings::{Findings, wrap};
use options::Options;
use process::{now, waited_for};
use sections::{SECTIONS, Section};
use setup::Setup;
use tools::Tool;

const RESULTS: &str = "host/benches/RESULTS.md";

/// The share of a core that other programs may use, in percent. On a busier machine, figures have not only varied more:
/// ratios have even been reversed.
const QUIET: f64 = 20.0;

/// The part of the results that explains how to read them.
const READING: &str = "\
Made by `cargo xtask bench`. The target is one nginx process, and the requests are those that it counted, whichever \
client sent them. Processor time is the kernel's account of the client's whole process, to 10 ms; memory is the most \
that a look every 20 ms saw. Where a section does not say otherwise the client has one core and the target another. \
Clients take turns, round after round; a figure is the median of the rounds, and a ratio is taken within each round. \
Where others had much of a core meanwhile, neither figures nor ratios can be relied on.";

/// Measures the sections that the arguments ask for. Writes the results to a file only after a full run of all of them.
///
/// # Errors
/// The machine has one core only, the load runner does not build, or a file cannot be written. A section that fails is
/// a line of the results instead.
pub fn run() -> Result<()> {
    let options = Options::parse();
    ensure!(machine::cores() >= 2, "the benchmarks need two cores: one for the client, one for the target");
    let binary = binary(&options)?;
    let sections = selected(&options);
    let setup = Setup::new(&binary, &tools_of(&sections), options.quick)?;
    let mut results = head(&setup, &options);
    println!("{results}");
    for section in sections {
        let text = measure(section, &setup).markdown(&format!("{} (`{}`)", section.title, section.name));
        println!("{text}");
        results += &format!("\n{text}");
    }
    if options.quick || !options.only.is_empty() {
        println!("Not written to {RESULTS}: only a full run of all sections is.");
        return Ok(());
    }
    let file = root().join(RESULTS);
    fs::create_dir_all(file.with_file_name(""))
        .and_then(|()| fs::write(&file, results))
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    println!("Written to {RESULTS}.");
    Ok(())
}

fn binary(options: &Options) -> Result<PathBuf> {
    match &options.binary {
        // Clients run in other folders.
        Some(path) => path.canonicalize().with_context(|| format!("`{}`", path.display())),
        None => {
            ensure_target()?;
            Ok(build_release(&[])?)
        }
    }
}

fn selected(options: &Options) -> Vec<&'static Section> {
    let wanted = |section: &&Section| match options.only.is_empty() {
        true => section.quick || !options.quick,
        false => options.only.iter().any(|name| name == section.name),
    };
    SECTIONS.iter().filter(wanted).collect()
}

/// Returns the tools that the sections need, each once.
fn tools_of(sections: &[&Section]) -> Vec<Tool> {
    let mut tools = vec![Tool::Nginx];
    for tool in sections.iter().flat_map(|section| section.needs) {
        if !tools.contains(tool) {
            tools.push(*tool);
        }
    }
    tools
}

fn head(setup: &Setup, options: &Options) -> String {
    let mut lines = machine::description();
    lines.push(format!("binary: {}", origin(options.binary.is_some(), &machine::commit())));
    lines.push(format!("rounds: {} of {} s, where a section does not say otherwise", setup.rounds(), setup.seconds()));
    lines.extend(setup.versions());
    let list: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    format!("# Benchmarks\n\n{}\n{list}", wrap(READING))
}

/// Returns the origin of the binary, in words.
fn origin(is_given: bool, commit: &str) -> &'static str {
    match (is_given, commit.ends_with("-dirty")) {
        (true, _) => "given as it is, so it may be of another commit",
        (false, true) => "built for release from that commit, with changes that no commit has",
        (false, false) => "built from that commit for release",
    }
}

/// Measures a section. If it fails, its findings are the reason, and the other sections go on.
fn measure(section: &Section, setup: &Setup) -> Findings {
    let mut findings = Ok(Findings::default());
    let step = step::step(section.name, || {
        findings = with_noise(section, setup);
        Ok(())
    });
    step.map_err(anyhow::Error::from)
        .and(findings)
        .unwrap_or_else(|error| Findings::new(format!("Not measured: {error:#}")))
}

/// Measures a section, and notes the processor time of other programs meanwhile.
fn with_noise(section: &Section, setup: &Setup) -> Result<Findings> {
    let (busy, own, start) = (machine::busy()?, waited_for()?, now());
    let mut findings = (section.measure)(setup)?;
    // The section's target has ended by now, so its time is among that of the programs waited for.
    let others = (machine::busy()? - busy).saturating_sub(waited_for()? - own);
    let share = others.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    let verdict = if share > QUIET { ": too much to rely on the figures above" } else { "" };
    findings.note(format!("Others, and the benchmark itself, had {share:.0} % of a core meanwhile{verdict}."));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        let options = Options::parse_from([&["bench"], arguments].concat());
        selected(&options).iter().map(|section| section.name).collect()
    }

    #[test]
    fn a_quick_run_omits_long_sections_unless_they_are_named() {
        assert_eq!(names(&[]).len(), SECTIONS.len());
        assert_eq!(names(&["--quick"]), ["http64", "http4000", "tls64", "h2_64", "start", "download"]);
        assert_eq!(names(&["--quick", "--only", "cores"]), ["cores"]);
    }

    #[test]
    fn tools_are_listed_once() {
        let tools = tools_of(&selected(&Options::default()));
        assert_eq!(tools.iter().filter(|tool| **tool == Tool::Oha).count(), 1);
        assert_eq!(tools[0], Tool::Nginx);
    }

    #[test]
    fn a_binary_with_changes_is_not_said_to_be_of_the_commit() {
        assert_eq!(origin(false, "1cbc9f5"), "built from that commit for release");
        assert_eq!(
            origin(false, "1cbc9f5-dirty"),
            "built for release from that commit, with changes that no commit has"
        );
        assert!(origin(true, "1cbc9f5-dirty").starts_with("given"));
    }
}
