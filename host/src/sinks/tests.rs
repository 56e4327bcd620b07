//! Tests of sinks on their threads, with seconds that no run has measured.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use stampede_time::RunPhase;

use super::test_sink::{SinkEvent, TestSink};
use super::*;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::SourceText;
use crate::metrics::aggregate::{Aggregate, Snapshot};
use crate::metrics::second::SecondMerger;
use crate::report::Report;
use crate::report::test_reports;
use crate::run::SectionKind;
use crate::run::load_controller::LoadState;
use crate::run::observer::RunObserver;
use crate::run::observer::{LoadUpdate, SecondSnapshot};
use crate::run::process_usage::ProcessUsage;

fn run_info() -> RunInfo {
    RunInfo {
        id: 0x5eed,
        started_at: Duration::ZERO,
        settings: test_reports::nothing().settings,
        rows: Vec::new(),
        metrics: Vec::new(),
        checks: Vec::new(),
        thresholds: Vec::new(),
    }
}

fn snapshot(index: u32, is_newest: bool) -> Arc<SecondSnapshot> {
    let merged =
        SecondMerger::new(1, 0, Vec::new(), true).next_complete(3_000_000_000).expect("three seconds are over");
    Arc::new(SecondSnapshot {
        index,
        section: SectionKind::Load,
        ended_at: Duration::ZERO,
        merged,
        process: ProcessUsage::default(),
        totals: Snapshot::default(),
        is_newest,
        is_partial: false,
        phase: RunPhase::Running,
        load: LoadState::default(),
        changes: Vec::new(),
    })
}

const fn begin(started_at: Duration) -> SinkEvent {
    SinkEvent::Begin { started_at, rows: 0, base_url: None }
}

const fn second(index: u32) -> SinkEvent {
    SinkEvent::Second { index, second: 0, requests: 0 }
}

#[test]
fn a_sink_gets_the_beginning_every_second_in_order_and_the_end() {
    let (sink, events) = TestSink::new(None);
    let mut sinks = SinkThreads::start(vec![sink.named("test")], run_info(), 1).expect("a thread");
    let aggregate = Aggregate::new(Vec::new(), 1);
    sinks.begin(Duration::from_secs(7));
    assert_eq!(events.recv(), Ok(begin(Duration::from_secs(7))));
    for index in 0..5 {
        assert_eq!(sinks.second(&snapshot(index, true), &aggregate), None, "a sink ends no run");
        assert_eq!(events.recv(), Ok(second(index)));
    }
    sinks.load_changed(&LoadUpdate { totals: Snapshot::default(), load: LoadState::default() });
    assert_eq!(events.recv(), Ok(SinkEvent::LoadChanged));
    let results = sinks.finish(&Arc::new(test_reports::movies()));
    assert!(matches!(events.recv(), Ok(SinkEvent::Finish { requests: 12_012, .. })));
    assert_eq!((results.missed.len(), results.diagnostics.into_result(()).is_ok()), (0, true));
}

#[test]
fn a_sink_that_blocks_delays_nothing_and_the_seconds_it_missed_are_counted() {
    let (test, blocked_by) = channel();
    let ((slow, slow_events), (quick, quick_events)) = (TestSink::new(Some(blocked_by)), TestSink::new(None));
    let sinks = vec![slow.named("slow"), quick.named("quick")];
    let mut sinks = SinkThreads::start(sinks, run_info(), 2).expect("threads");
    let aggregate = Aggregate::new(Vec::new(), 1);
    sinks.begin(Duration::ZERO);
    assert_eq!(slow_events.recv(), Ok(begin(Duration::ZERO)), "and there it stands");
    assert_eq!(quick_events.recv(), Ok(begin(Duration::ZERO)));
    for index in 0..10 {
        sinks.second(&snapshot(index, true), &aggregate);
        assert_eq!(quick_events.recv(), Ok(second(index)), "the other sink hears every second");
    }
    drop(test);
    let results = sinks.finish(&Arc::new(test_reports::movies()));
    let heard: Vec<_> = slow_events.iter().collect();
    assert_eq!(heard[..2], [second(0), second(1)], "the two that its queue holds");
    assert!(matches!(heard[2..], [SinkEvent::Finish { requests: 12_012, .. }]), "{heard:?}");
    assert_eq!(results.missed, [MissedSeconds { sink: "slow", missed: 8, seconds: 10 }]);
}

#[test]
fn seconds_that_are_complete_at_the_same_moment_take_one_place_in_the_queue() {
    let (test, blocked_by) = channel();
    let (sink, events) = TestSink::new(Some(blocked_by));
    let mut sinks = SinkThreads::start(vec![sink.named("test")], run_info(), 2).expect("a thread");
    let aggregate = Aggregate::new(Vec::new(), 1);
    sinks.begin(Duration::ZERO);
    assert_eq!(events.recv(), Ok(begin(Duration::ZERO)), "and there it stands");
    for index in 0..42 {
        sinks.second(&snapshot(index, index >= 40), &aggregate);
    }
    drop(test);
    let results = sinks.finish(&Arc::new(test_reports::nothing()));
    assert_eq!(results.missed, [], "41 in the first place and one in the second");
    let heard: Vec<_> = events.iter().take(42).collect();
    assert_eq!(heard, (0..42).map(second).collect::<Vec<_>>());
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
    let (last, events) = TestSink::new(None);
    let sinks = vec![failing("failing", true), failing("panicking", false), last.named("last")];
    let sinks = SinkThreads::start(sinks, run_info(), 1).expect("threads");
    let diagnostics = sinks.finish(&Arc::new(test_reports::nothing())).diagnostics.into_result(()).expect_err("two");
    let text = crate::diagnostic::render(&diagnostics, false);
    assert!(text.contains("the disk is full") && text.contains("the sink `panicking` panicked"), "{text}");
    assert!(matches!(events.recv(), Ok(SinkEvent::Finish { requests: 0, .. })));
}

#[test]
fn a_row_in_the_table_opens_a_sink() {
    fn open_test(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
        let sink = || Box::new(TestSink::new(None).0) as Box<dyn Sink>;
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
    let missing = |kinds: &[SinkKind]| -> Vec<&str> {
        let named = |kind: &&SinkKind| crate::text::is_documented(kind.flag);
        kinds.iter().filter(|kind| !named(kind)).map(|kind| kind.flag).collect()
    };
    assert_eq!(missing(SINKS), [""; 0]);
    let planted = SinkKind { flag: "--no-such-output", ..SINKS[0] };
    assert_eq!(missing(&[planted]), ["--no-such-output"], "a sink without documentation is found");
    let part = SinkKind { flag: "--verb", ..SINKS[0] };
    assert_eq!(missing(&[part]), ["--verb"], "a part of another flag's name is not its name");
}
