//! Clients that do the same work in turn, round after round, so that a machine that is slow for a while is slow for
//! all.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::figures::{self, Spread, format_count, format_figure};
use crate::findings::Findings;
use crate::process::Run;
use crate::setup::Setup;
use crate::target::{Count, Target};

/// The name of the load runner's rows.
pub(crate) const STAMPEDE: &str = "stampede-shooter";

/// A program that loads the targets.
pub(crate) struct Client<'a> {
    /// The name of its row.
    pub(crate) name: String,
    /// The number of rounds that it takes part in, from the first on.
    pub(crate) rounds: usize,
    /// Creates the call of the program.
    pub(crate) command: Box<dyn Fn() -> Command + 'a>,
}

/// One run of a client, and the target's count of it.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    /// The cost, from the kernel.
    pub(crate) run: Run,
    /// The load, from nginx.
    pub(crate) count: Count,
}

/// The runs of a client, by round.
pub(crate) struct Series {
    /// The name of its row.
    pub(crate) name: String,
    /// `None` where the client failed or did not take part.
    runs: Vec<Option<Measurement>>,
}

/// Runs all rounds. A run that fails is left out and noted.
pub(crate) fn run(setup: &Setup, targets: &[Target], clients: &[Client<'_>], findings: &mut Findings) -> Vec<Series> {
    let new = |client: &Client<'_>| Series { name: client.name.clone(), runs: Vec::new() };
    let mut all: Vec<Series> = clients.iter().map(new).collect();
    for round in 0..setup.rounds() {
        for (client, series) in clients.iter().zip(&mut all).filter(|(client, _)| round < client.rounds) {
            let measurement = measure(setup, targets, &mut (client.command)());
            if let Err(error) = &measurement {
                findings.note(format!("Round {} of {} is missing: {error:#}", round + 1, series.name));
            }
            series.runs.push(measurement.ok());
        }
    }
    all
}

/// Runs a client between two counts of the targets.
pub(crate) fn measure(setup: &Setup, targets: &[Target], command: &mut Command) -> Result<Measurement> {
    let before: Vec<Count> = targets.iter().map(Target::count).collect::<Result<_, _>>()?;
    let run = setup.run(command)?;
    let mut count = Count { connections: 0, requests: 0 };
    for (target, before) in targets.iter().zip(before) {
        let now = target.count()?.since(before);
        count = Count { connections: count.connections + now.connections, requests: count.requests + now.requests };
    }
    ensure!(count.requests > 0, "the target counted no request");
    Ok(Measurement { run, count })
}

impl Measurement {
    /// Returns the processor time of a request, in µs.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        self.run.cpu.as_secs_f64() * 1e6 / self.requests()
    }

    /// Returns the number of requests that the target counted.
    pub(crate) fn requests(&self) -> f64 {
        self.count.requests as f64
    }
}

impl Series {
    /// Returns the series of a name.
    pub(crate) fn find<'s>(all: &'s [Self], name: &str) -> Option<&'s Self> {
        all.iter().find(|series| series.name == name)
    }

    /// Returns a figure of each run.
    pub(crate) fn figures(&self, figure: impl Fn(&Measurement) -> f64) -> Vec<Option<f64>> {
        self.runs.iter().map(|run| run.as_ref().map(&figure)).collect()
    }

    /// Returns the spread of a figure over all runs.
    pub(crate) fn spread(&self, figure: impl Fn(&Measurement) -> f64) -> Option<Spread> {
        Spread::of(self.figures(figure).into_iter().flatten())
    }

    /// Formats the median of a figure.
    pub(crate) fn figure(&self, figure: impl Fn(&Measurement) -> f64) -> String {
        self.spread(figure).map_or_else(|| "–".into(), |spread| format_figure(spread.median))
    }

    /// Formats the median of a count.
    pub(crate) fn count(&self, count: impl Fn(&Measurement) -> f64) -> String {
        self.spread(count).map_or_else(|| "–".into(), |spread| format_count(spread.median))
    }

    /// Formats the number of runs.
    pub(crate) fn rounds(&self) -> String {
        self.runs.iter().flatten().count().to_string()
    }
}

/// Returns the ratio of a figure of the first series to that of the second, round by round, or `None` if one of them is
/// missing.
pub(crate) fn ratio(all: &[Series], names: [&str; 2], figure: impl Fn(&Measurement) -> f64) -> Option<Spread> {
    let [first, second] = names.map(|name| Series::find(all, name).map(|series| series.figures(&figure)));
    figures::ratio(&first?, &second?)
}

/// Returns a figure of the first series less that of the second, round by round, or `None` if one of them is missing.
pub(crate) fn difference(all: &[Series], names: [&str; 2], figure: impl Fn(&Measurement) -> f64) -> Option<Spread> {
    let [first, second] = names.map(|name| Series::find(all, name).map(|series| series.figures(&figure)));
    Spread::of(first?.iter().zip(&second?).filter_map(|(first, second)| Some((*first)? - (*second)?)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn series(name: &str, cpu_ms: &[Option<u64>]) -> Series {
        let run = |ms: u64| Run { wall: Duration::ZERO, cpu: Duration::from_millis(ms), peak: 0.0, memory: Vec::new() };
        let measurement = |ms| Measurement { run: run(ms), count: Count { connections: 64, requests: 1000 } };
        Series { name: name.into(), runs: cpu_ms.iter().map(|ms| ms.map(measurement)).collect() }
    }

    #[test]
    fn series_are_compared_round_by_round() {
        let all = [series(STAMPEDE, &[Some(12), None, Some(30)]), series("wrk", &[Some(10), Some(10), Some(20)])];
        let against = ratio(&all, [STAMPEDE, "wrk"], Measurement::cpu_per_request).unwrap();
        assert_eq!((against.least, against.most, against.count), (1.2, 1.5, 2));
        assert_eq!(ratio(&all, [STAMPEDE, "oha"], Measurement::cpu_per_request), None);
        let apart = difference(&all, [STAMPEDE, "wrk"], Measurement::cpu_per_request).unwrap();
        assert_eq!((apart.least.round(), apart.most.round(), apart.count), (2.0, 10.0, 2));
    }

    #[test]
    fn a_run_that_failed_is_in_no_figure() {
        let series = series(STAMPEDE, &[Some(12), None]);
        assert_eq!((series.figure(Measurement::cpu_per_request).as_str(), series.rounds().as_str()), ("12.0", "1"));
    }
}
