//! Runs against the embedded site, with sinks that only tests have.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use stampede_site::Site;

use super::*;
use crate::run::SegmentKind;
use crate::run::observer::SecondSnapshot;
use crate::sinks::Sink;

/// A call of a sink, in numbers.
#[derive(Debug, PartialEq)]
enum Heard {
    Begin { rows: usize, base_url: Option<String> },
    Second { index: u32, second: u32, requests: u64 },
    Finish { requests: u64, due: u64 },
}

/// Reports each call to the test; from the first second on it can be made to block.
struct TestSink {
    heard: Sender<Heard>,
    held_up_by: Option<Receiver<()>>,
    /// Blocks another sink until this one has finished.
    holds_up: Option<Sender<()>>,
}

impl Sink for TestSink {
    fn begin(&mut self, run: &RunInfo) {
        let begin = Heard::Begin { rows: run.rows.len(), base_url: run.settings.base_url.clone() };
        self.heard.send(begin).expect("the test listens");
    }

    fn second(&mut self, second: &SecondSnapshot) {
        assert_eq!(second.segment, SegmentKind::Load);
        let requests = second.merged.counts.rows.iter().map(|row| row.requests()).sum();
        let second = Heard::Second { index: second.index, second: second.merged.second, requests };
        self.heard.send(second).expect("the test listens");
        if let Some(other) = &self.held_up_by {
            let _ = other.recv();
        }
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        let (requests, due) = (report.totals.requests.total, report.scenarios[0].iterations.due);
        self.heard.send(Heard::Finish { requests, due }).expect("the test listens");
        self.holds_up = None;
        Ok(())
    }
}

fn seconds(heard: &[Heard]) -> Vec<(u32, u32, u64)> {
    let second = |call: &Heard| match *call {
        Heard::Second { index, second, requests } => Some((index, second, requests)),
        _ => None,
    };
    heard.iter().filter_map(second).collect()
}

#[test]
fn every_second_of_a_run_comes_once_and_in_order_however_slow_another_sink_is() {
    let site = Site::spawn("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let args = RunArgs {
        base_url: Some(site.base_url()),
        arrival_rate: Some(20.0),
        max_users: Some(50),
        duration: Some(Duration::from_millis(3_200)),
        quiet: true,
        ..RunArgs::default()
    };
    let text = "- {name: Bytes, url: /bytes/100}\n".into();
    let plan = Arc::new(build_plan(&args, &Arc::new(SourceText { name: "test.yml".into(), text })).unwrap());
    let ((quick, quick_calls), (slow, slow_calls), (holds_up, held_up_by)) = (channel(), channel(), channel());
    let quick = TestSink { heard: quick, held_up_by: None, holds_up: Some(holds_up) };
    let slow = TestSink { heard: slow, held_up_by: Some(held_up_by), holds_up: None };
    let sinks = vec![
        NamedSink { name: "quick", sink: Box::new(quick) },
        // Blocks from the first second until the run is over and the quick one has finished.
        NamedSink { name: "slow", sink: Box::new(slow) },
    ];
    let exit = run_plan(&args, &plan, None, sinks, 2).unwrap();
    assert_eq!(exit, Exit::Success);
    let (quick, slow): (Vec<_>, Vec<_>) = (quick_calls.iter().collect(), slow_calls.iter().collect());

    let (first, last) = (quick.first().unwrap(), quick.last().unwrap());
    let base_url = Some(format!("{}/", site.base_url()));
    assert_eq!(*first, Heard::Begin { rows: 1, base_url });
    let served = site.stats().snapshot().requests;
    assert_eq!(*last, Heard::Finish { requests: served, due: 64 }, "the schedule is kept");
    let heard = seconds(&quick);
    assert_eq!(heard.len() + 2, quick.len());
    assert!(heard.len() >= 4, "three whole seconds and a part: {heard:?}");
    assert!(
        heard.iter().enumerate().all(|(at, (index, second, _))| at == *index as usize && index == second),
        "{heard:?}"
    );
    assert_eq!(heard.iter().map(|(_, _, requests)| requests).sum::<u64>(), served, "the seconds add up to the run");

    let heard = seconds(&slow);
    assert!((1..=3).contains(&heard.len()), "one it stood still at, and two in its queue: {heard:?}");
    assert_eq!(slow.last(), Some(last), "it reads the same report");
}
