//! Sinks that only tests have: one that records its calls, and one that a test can block.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use stampede_time::RunPhase;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::SourceText;
use crate::metrics::aggregate::{Aggregate, Snapshot};
use crate::metrics::second::SecondMerger;
use crate::report::Report;
use crate::report::test_reports;
use crate::run::SegmentKind;
use crate::run::load_controller::LoadState;
use crate::run::observer::RunObserver;
use crate::run::observer::{LoadUpdate, SecondSnapshot};

/// A call of a sink.
#[derive(Debug, PartialEq)]
enum Heard {
    Begin(Duration),
    Second(u32),
    LoadChanged,
    Finish(u64),
}

/// Reports each call to the test, then waits if the test blocks it.
struct TestSink {
    heard: Sender<Heard>,
    held_up_by: Option<Receiver<()>>,
}

impl TestSink {
    fn hear(&self, call: Heard) {
        self.heard.send(call).expect("the test listens");
        if let Some(test) = &self.held_up_by {
            // Once the test has dropped its end, nothing blocks the sink any longer.
            let _ = test.recv();
        }
    }
}

impl Sink for TestSink {
    fn begin(&mut self, run: &RunInfo) {
        self.hear(Heard::Begin(run.started_at));
    }

    fn second(&mut self, second: &SecondSnapshot) {
        self.hear(Heard::Second(second.index));
    }

    fn load_changed(&mut self, _: &LoadUpdate) {
        self.hear(Heard::LoadChanged);
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        self.hear(Heard::Finish(report.totals.requests.total));
        Ok(())
    }
}

fn sink(name: &'static str, held_up_by: Option<Receiver<()>>) -> (NamedSink, Receiver<Heard>) {
    let (heard, calls) = channel();
    (NamedSink { name, sink: Box::new(TestSink { heard, held_up_by }) }, calls)
}

fn run_info() -> RunInfo {
    RunInfo {
        started_at: Duration::ZERO,
        settings: test_reports::nothing().settings,
        rows: Vec::new(),
        metrics: Vec::new(),
        checks: Vec::new(),
        thresholds: Vec::new(),
    }
}

fn snapshot(index: u32) -> Arc<SecondSnapshot> {
    let merged =
        SecondMerger::new(1, 0, Vec::new(), true).next_complete(3_000_000_000).expect("three seconds are over");
    Arc::new(SecondSnapshot {
        index,
        segment: SegmentKind::Load,
        merged,
        totals: Snapshot::default(),
        is_newest: true,
        is_partial: false,
        phase: RunPhase::Running,
        load: LoadState::default(),
        changes: Vec::new(),
    })
}

#[test]
fn a_sink_gets_the_beginning_every_second_in_order_and_the_end() {
    let (sink, calls) = sink("test", None);
    let mut sinks = SinkThreads::start(vec![sink], run_info(), 1).expect("a thread");
    let aggregate = Aggregate::new(Vec::new(), 1);
    sinks.begin(Duration::from_secs(7));
    assert_eq!(calls.recv(), Ok(Heard::Begin(Duration::from_secs(7))));
    for index in 0..5 {
        assert_eq!(sinks.second(&snapshot(index), &aggregate), None, "a sink ends no run");
        assert_eq!(calls.recv(), Ok(Heard::Second(index)));
    }
    sinks.load_changed(&LoadUpdate { totals: Snapshot::default(), load: LoadState::default() });
    assert_eq!(calls.recv(), Ok(Heard::LoadChanged));
    let results = sinks.finish(&Arc::new(test_reports::movies()));
    assert_eq!(calls.recv(), Ok(Heard::Finish(12_012)));
    assert_eq!((results.missed.len(), results.diagnostics.into_result(()).is_ok()), (0, true));
}

#[test]
fn a_sink_that_blocks_delays_nothing_and_the_seconds_it_missed_are_counted() {
    let (test, held_up_by) = channel();
    let ((slow, slow_calls), (quick, quick_calls)) = (sink("slow", Some(held_up_by)), sink("quick", None));
    let mut sinks = SinkThreads::start(vec![slow, quick], run_info(), 2).expect("threads");
    let aggregate = Aggregate::new(Vec::new(), 1);
    sinks.begin(Duration::ZERO);
    assert_eq!(slow_calls.recv(), Ok(Heard::Begin(Duration::ZERO)), "and there it stands");
    assert_eq!(quick_calls.recv(), Ok(Heard::Begin(Duration::ZERO)));
    for index in 0..10 {
        sinks.second(&snapshot(index), &aggregate);
        assert_eq!(quick_calls.recv(), Ok(Heard::Second(index)), "the other sink hears every second");
    }
    drop(test);
    let results = sinks.finish(&Arc::new(test_reports::movies()));
    let heard: Vec<_> = slow_calls.iter().collect();
    assert_eq!(heard, [Heard::Second(0), Heard::Second(1), Heard::Finish(12_012)], "the two that its queue holds");
    assert_eq!(results.missed, [MissedSeconds { sink: "slow", missed: 8, seconds: 10 }]);
}

#[test]
fn a_sink_that_fails_or_panics_is_reported_and_the_others_finish() {
    struct FailingSink(bool);
    impl Sink for FailingSink {
        fn second(&mut self, _: &SecondSnapshot) {}

        fn finish(&mut self, _: &Report) -> Result<(), Diagnostic> {
            assert!(self.0, "the panic of the test");
            Err(Diagnostic::new("report::write", "the disk is full"))
        }
    }
    let failing = |name, fails| NamedSink { name, sink: Box::new(FailingSink(fails)) };
    let (last, calls) = sink("last", None);
    let sinks = vec![failing("failing", true), failing("panicking", false), last];
    let sinks = SinkThreads::start(sinks, run_info(), 1).expect("threads");
    let diagnostics = sinks.finish(&Arc::new(test_reports::nothing())).diagnostics.into_result(()).expect_err("two");
    let text = crate::diagnostic::render(&diagnostics, false);
    assert!(text.contains("the disk is full") && text.contains("the sink `panicking` panicked"), "{text}");
    assert_eq!(calls.recv(), Ok(Heard::Finish(0)));
}

#[test]
fn a_row_in_the_table_opens_a_sink() {
    fn open_test(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
        let (heard, _) = channel();
        let sink = || Box::new(TestSink { heard, held_up_by: None }) as Box<dyn Sink>;
        Ok(args.verbose.then(sink).into_iter().collect())
    }
    let kinds = [SINKS, &[SinkKind { name: "test", flag: "--verbose", open: open_test }]].concat();
    let text = "- {name: Bytes, url: http://127.0.0.1/bytes/1}\n".into();
    let script = crate::script::parse(&Arc::new(SourceText { name: "test.yml".into(), text })).expect("a script");
    let plan = crate::plan::build(&RunArgs::default(), &script).expect("a plan");
    let names = |args: &RunArgs| -> Vec<&str> {
        open(&kinds, args, &plan).expect("opens").iter().map(|sink| sink.name).collect()
    };
    assert_eq!(names(&RunArgs::default()), [""; 0]);
    assert_eq!(names(&RunArgs { verbose: true, ..RunArgs::default() }), ["progress", "test"]);
    let rejected = RunArgs { out: vec!["a.txt".into(), "b.txt".into()], ..RunArgs::default() };
    let diagnostics = open(&kinds, &rejected, &plan).err().expect("two files of no format");
    let text = crate::diagnostic::render(&diagnostics, false);
    assert!(text.contains("`a.txt`") && text.contains("`b.txt`"), "{text}");
}

#[test]
fn every_sink_is_in_the_documentation() {
    let documentation = crate::text::documentation();
    let missing = |kinds: &[SinkKind]| -> Vec<&str> {
        let named = |kind: &&SinkKind| documentation.contains(&format!("`{}", kind.flag));
        kinds.iter().filter(|kind| !named(kind)).map(|kind| kind.flag).collect()
    };
    assert_eq!(missing(SINKS), [""; 0]);
    let planted = SinkKind { flag: "--no-such-output", ..SINKS[0] };
    assert_eq!(missing(&[planted]), ["--no-such-output"], "a sink without documentation is found");
}
