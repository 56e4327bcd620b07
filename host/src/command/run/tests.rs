//! Runs against the embedded site, with sinks that only tests have.

use std::sync::mpsc::channel;
use std::time::Duration;

use stampede_site::Site;

use super::*;
use crate::sinks::test_sink::{SinkEvent, TestSink};

/// A second of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct SeenSecond {
    index: u32,
    second: u32,
    requests: u64,
}

fn seconds(events: &[SinkEvent]) -> Vec<SeenSecond> {
    let second = |event: &SinkEvent| match *event {
        SinkEvent::Second { index, second, requests } => Some(SeenSecond { index, second, requests }),
        _ => None,
    };
    events.iter().filter_map(second).collect()
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
    let (blocks, blocked_by) = channel();
    let ((mut quick, quick_events), (slow, slow_events)) = (TestSink::new(None), TestSink::new(Some(blocked_by)));
    // The slow one stands still until the run is over and the quick one has finished.
    quick.blocks = Some(blocks);
    let sinks = vec![quick.named("quick"), slow.named("slow")];
    // The queues hold the whole run, so that a busy machine costs no sink a second.
    let exit = run_plan(&args, &plan, RunParts { baseline: None, sinks, queue_seconds: 10_000, fleet: None }).unwrap();
    assert_eq!(exit, Exit::Success);
    let (quick, slow): (Vec<_>, Vec<_>) = (quick_events.iter().collect(), slow_events.iter().collect());

    let base = format!("{}/", site.base_url());
    assert!(
        matches!(quick.first(), Some(SinkEvent::Begin { rows: 1, base_url: Some(url), .. }) if *url == base),
        "{quick:?}"
    );
    let served = site.stats().snapshot().requests;
    assert_eq!(quick.last(), Some(&SinkEvent::Finish { requests: served, due: 64 }), "the schedule is kept");
    let heard = seconds(&quick);
    assert_eq!(heard.len() + 2, quick.len());
    assert!(heard.iter().map(|second| second.index).eq(0..heard.len() as u32), "{heard:?}");
    assert!(heard.is_sorted_by(|one, next| one.second < next.second), "{heard:?}");
    assert_eq!(heard.iter().map(|second| second.requests).sum::<u64>(), served, "the seconds add up to the run");
    assert_eq!(slow, quick, "late, and the same");
}
