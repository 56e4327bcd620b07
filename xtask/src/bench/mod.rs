//! `cargo xtask bench`: what the load runner costs, side by side with its peers on one machine, held against what it
//! should cost. Nothing fails because a figure is bad; the results say so.

mod contest;
mod figures;
mod lab;
mod machine;
mod options;
mod process;
mod report;
mod sections;
mod site;
mod table;
mod target;
mod tools;

use std::fs;
use std::path::PathBuf;

use lab::Lab;
use options::Options;
use process::{now, waited_for};
use sections::{SECTIONS, Section};
use table::{Findings, wrapped};
use tools::Tool;

use crate::step::{self, Failure};
use crate::workspace::{build_release, ensure_target, root};

const RESULTS: &str = "host/benches/RESULTS.md";

/// Others may have this much of a core, in percent. A busy machine does not only blur: it has turned ratios round.
const QUIET: f64 = 20.0;

/// How to read all of it, in the words of the results themselves.
const READING: &str = "Made by `cargo xtask bench`. The target is one nginx process, and the requests are those that it counted, whichever \
client sent them. Processor time is the kernel's account of the client's whole process, to 10 ms; memory is the most \
that a look every 20 ms saw. Where a section does not say otherwise the client has one core and the target another. \
Clients take turns, round after round; a figure is the median of the rounds, and a ratio is taken within each round. \
Where others had much of a core meanwhile, neither figures nor ratios can be relied on.";

/// Measures the sections asked for. Only a full run of all of them is written down.
pub fn run(arguments: &[&str]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    if machine::cores() < 2 {
        return Err(Failure("the benchmarks need two cores: one for the client, one for the target".into()));
    }
    let binary = binary(&options)?;
    let chosen = chosen(&options);
    let lab = Lab::new(binary, &needs(&chosen), options.quick)?;
    let mut results = head(&lab, &options);
    println!("{results}");
    for section in chosen {
        let text = findings(section, &lab).markdown(&format!("{} (`{}`)", section.title, section.name));
        println!("{text}");
        results += &format!("\n{text}");
    }
    if options.quick || !options.only.is_empty() {
        println!("Not written to {RESULTS}: only a full run of all sections is.");
        return Ok(());
    }
    let file = root().join(RESULTS);
    let written = fs::create_dir_all(file.with_file_name("")).and_then(|()| fs::write(&file, results));
    written.map_err(|error| Failure(format!("cannot write `{}`: {error}", file.display())))?;
    println!("Written to {RESULTS}.");
    Ok(())
}

fn binary(options: &Options) -> Result<PathBuf, Failure> {
    match &options.binary {
        // Clients run in other folders.
        Some(path) => path.canonicalize().map_err(|error| Failure(format!("`{}`: {error}", path.display()))),
        None => ensure_target().and_then(|()| build_release()),
    }
}

fn chosen(options: &Options) -> Vec<&'static Section> {
    let wanted = |section: &&Section| match options.only.is_empty() {
        true => section.quick || !options.quick,
        false => options.only.iter().any(|name| name == section.name),
    };
    SECTIONS.iter().filter(wanted).collect()
}

/// What the sections need, each once.
fn needs(sections: &[&Section]) -> Vec<Tool> {
    let mut needs = vec![Tool::Nginx];
    for tool in sections.iter().flat_map(|section| section.needs) {
        if !needs.contains(tool) {
            needs.push(*tool);
        }
    }
    needs
}

fn head(lab: &Lab, options: &Options) -> String {
    let mut lines = machine::lines();
    lines.push(match options.binary {
        Some(_) => "binary: given as it is, so it may be of another commit".into(),
        None => "binary: built from that commit for release".into(),
    });
    lines.push(format!("rounds: {} of {} s, where a section does not say otherwise", lab.rounds(), lab.seconds()));
    lines.extend(lab.versions());
    let list: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    format!("# Benchmarks\n\n{}\n{list}", wrapped(READING))
}

/// A section that cannot be measured says why, and loses nothing but itself.
fn findings(section: &Section, lab: &Lab) -> Findings {
    let mut findings = Findings::default();
    let measured = step::step(section.name, || {
        let (busy, own, start) = (machine::busy(), waited_for()?, now());
        findings = (section.measure)(lab)?;
        // The section's target has ended by now, so its time is among that of the programs waited for.
        let others = (machine::busy() - busy).saturating_sub(waited_for()? - own);
        let share = others.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
        let verdict = if share > QUIET { ": too much to rely on what is above" } else { "" };
        findings.note(format!("Others, and the benchmark itself, had {share:.0} % of a core meanwhile{verdict}."));
        Ok(())
    });
    measured.map_or_else(|Failure(why)| Findings::new(format!("Not measured: {why}")), |()| findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        chosen(&Options::parse(arguments).unwrap()).iter().map(|section| section.name).collect()
    }

    #[test]
    fn the_quick_run_leaves_out_what_takes_long_unless_it_is_named() {
        assert_eq!(names(&[]).len(), SECTIONS.len());
        assert_eq!(names(&["--quick"]), ["http64", "http4000", "tls64", "h2_64", "start", "download"]);
        assert_eq!(names(&["--quick", "--only", "cores"]), ["cores"]);
    }

    #[test]
    fn each_tool_is_got_once() {
        let needs = needs(&chosen(&Options::default()));
        assert_eq!(needs.iter().filter(|tool| **tool == Tool::Oha).count(), 1);
        assert_eq!(needs[0], Tool::Nginx);
    }
}
