//! Clients that do the same in turn, round after round, so that a machine that is slow for a while is slow for all.

use std::process::Command;

use super::figures::{self, Spread};
use super::lab::Lab;
use super::process::Run;
use super::table::Findings;
use super::target::{Count, Target};
use crate::step::Failure;

/// What the rows of the load runner are called.
pub const OURS: &str = "stampede-shooter";

/// A client of a contest.
pub struct Contestant<'a> {
    /// What its row is called.
    pub name: String,
    /// It takes part in so many rounds, from the first on.
    pub rounds: usize,
    /// Makes its call.
    pub command: Box<dyn Fn() -> Command + 'a>,
}

/// One run, and what the target counted of it.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What the kernel accounted for.
    pub run: Run,
    /// What nginx counted.
    pub count: Count,
}

/// The runs of a client, by round. There is none where it failed or did not take part.
pub struct Series {
    /// What its row is called.
    pub name: String,
    runs: Vec<Option<Measured>>,
}

/// Runs the contest. Runs that fail are noted, and left out.
pub fn hold(lab: &Lab, targets: &[Target], contestants: &[Contestant], findings: &mut Findings) -> Vec<Series> {
    let new = |contestant: &Contestant| Series { name: contestant.name.clone(), runs: Vec::new() };
    let mut all: Vec<Series> = contestants.iter().map(new).collect();
    for round in 0..lab.rounds() {
        for (contestant, series) in contestants.iter().zip(&mut all).filter(|(it, _)| round < it.rounds) {
            let measured = measure(lab, targets, &mut (contestant.command)());
            let failed =
                |Failure(why)| findings.note(format!("Round {} of {} is missing: {why}", round + 1, series.name));
            series.runs.push(measured.map_err(failed).ok());
        }
    }
    all
}

/// Runs a client between two counts of the targets.
pub fn measure(lab: &Lab, targets: &[Target], command: &mut Command) -> Result<Measured, Failure> {
    let before: Vec<Count> = targets.iter().map(Target::count).collect::<Result<_, _>>()?;
    let run = lab.run(command)?;
    let mut count = Count { connections: 0, requests: 0 };
    for (target, before) in targets.iter().zip(before) {
        let now = target.count()?.since(before);
        count = Count { connections: count.connections + now.connections, requests: count.requests + now.requests };
    }
    if count.requests == 0 {
        return Err(Failure("the target counted no request".into()));
    }
    Ok(Measured { run, count })
}

impl Measured {
    /// Processor time of a request, in µs.
    pub fn cpu_per_request(&self) -> f64 {
        self.run.cpu.as_secs_f64() * 1e6 / self.requests()
    }

    /// Requests that the target counted.
    pub fn requests(&self) -> f64 {
        self.count.requests as f64
    }
}

impl Series {
    /// The series of a name.
    pub fn of<'s>(all: &'s [Self], name: &str) -> Option<&'s Self> {
        all.iter().find(|series| series.name == name)
    }

    /// A figure of each run.
    pub fn figures(&self, figure: impl Fn(&Measured) -> f64) -> Vec<Option<f64>> {
        self.runs.iter().map(|run| run.as_ref().map(&figure)).collect()
    }

    /// A figure over all runs.
    pub fn spread(&self, figure: impl Fn(&Measured) -> f64) -> Option<Spread> {
        Spread::of(self.figures(figure).into_iter().flatten())
    }

    /// The median of a figure as it is shown.
    pub fn shown(&self, figure: impl Fn(&Measured) -> f64) -> String {
        self.spread(figure).map_or_else(|| "–".into(), |spread| figures::shown(spread.median))
    }

    /// The median of a count as it is shown.
    pub fn whole(&self, count: impl Fn(&Measured) -> f64) -> String {
        self.spread(count).map_or_else(|| "–".into(), |spread| figures::whole(spread.median))
    }

    /// How many runs there are.
    pub fn count(&self) -> usize {
        self.runs.iter().flatten().count()
    }
}

/// A figure of one series for each unit of another's, round by round; none if one of them is not there.
pub fn ratio(all: &[Series], names: [&str; 2], figure: impl Fn(&Measured) -> f64) -> Option<Spread> {
    let [ours, theirs] = names.map(|name| Series::of(all, name).map(|series| series.figures(&figure)));
    figures::ratio(&ours?, &theirs?)
}

/// By how much a figure of one series is above another's, round by round; none if one of them is not there.
pub fn difference(all: &[Series], names: [&str; 2], figure: impl Fn(&Measured) -> f64) -> Option<Spread> {
    let [ours, theirs] = names.map(|name| Series::of(all, name).map(|series| series.figures(&figure)));
    Spread::of(ours?.iter().zip(&theirs?).filter_map(|(ours, theirs)| Some((*ours)? - (*theirs)?)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn series(name: &str, cpu_ms: &[Option<u64>]) -> Series {
        let run = |ms: u64| Run { wall: Duration::ZERO, cpu: Duration::from_millis(ms), peak: 0.0, memory: Vec::new() };
        let measured = |ms| Measured { run: run(ms), count: Count { connections: 64, requests: 1000 } };
        Series { name: name.into(), runs: cpu_ms.iter().map(|ms| ms.map(measured)).collect() }
    }

    #[test]
    fn series_are_compared_round_by_round() {
        let all = [series(OURS, &[Some(12), None, Some(30)]), series("wrk", &[Some(10), Some(10), Some(20)])];
        let against = ratio(&all, [OURS, "wrk"], Measured::cpu_per_request).unwrap();
        assert_eq!((against.least, against.most, against.count), (1.2, 1.5, 2));
        assert_eq!(ratio(&all, [OURS, "oha"], Measured::cpu_per_request), None);
        let apart = difference(&all, [OURS, "wrk"], Measured::cpu_per_request).unwrap();
        assert_eq!((apart.least.round(), apart.most.round(), apart.count), (2.0, 10.0, 2));
    }

    #[test]
    fn a_run_that_failed_is_in_no_figure() {
        let series = series(OURS, &[Some(12), None]);
        assert_eq!((series.shown(Measured::cpu_per_request).as_str(), series.count()), ("12.0", 1));
    }
}
