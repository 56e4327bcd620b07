//! Metrics of plugins by step, in thresholds and in every form of the report.

use stampede_tests::{Finished, RawServer};

use crate::shooter;

const SCRIPT: &str = "
users: 2
iterations: 3
thresholds:
  page.resources{step:Gallery}: count==24
  page.resources{step:Home}: count==6
  page.resources: count==30
steps:
  - {name: Home, action: page, url: /home}
  - {name: Gallery, action: page, url: /gallery}
  - {name: Plain, url: /x}
";

fn site() -> RawServer {
    RawServer::start(|request| {
        let body = match request.line.split(' ').nth(1) {
            Some("/home") => "<img src=/a>".to_owned(),
            Some("/gallery") => (0..4).map(|at| format!("<img src=/g{at}>")).collect(),
            _ => "x".to_owned(),
        };
        format!("HTTP/1.1 200 -\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    })
}

fn ran(script: &str, more: &str) -> Finished {
    let server = site();
    shooter().script(script).args("--iterations 3 --base-url").arg(server.base_url()).args(more).report().finish()
}

#[test]
fn a_threshold_on_a_plugins_metric_may_select_steps() {
    let script = SCRIPT.replace("iterations: 3\n", "");
    ran(&script, "").exits(0);
    let wrong = script.replace("count==24", "count==23");
    let run = ran(&wrong, "").exits(99);
    assert!(run.stdout.contains("page.resources{step:Gallery}"), "{}", run.stdout);
}

#[test]
fn a_threshold_that_selects_no_step_of_the_plugin_is_an_error() {
    let script = SCRIPT.replace("iterations: 3\n", "").replace("{step:Home}", "{step:Plain}");
    let run = ran(&script, "").exits(3);
    assert!(run.stderr.contains("no step with these tags is of plugin `page`"), "{}", run.stderr);
    let script = script.replace("{step:Plain}", "{step:Hom}");
    let run = ran(&script, "").exits(3);
    assert!(
        run.stderr.contains("there is no step `Hom`") && run.stderr.contains("did you mean `Home`"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_metrics_of_each_step_are_rows_of_table_json_and_csv() {
    let script = SCRIPT.replace("iterations: 3\n", "");
    let run = ran(&script, "--out rows.csv").exits(0);
    for (name, resources) in
        [("page.resources", 30), ("page.resources{step:Home}", 6), ("page.resources{step:Gallery}", 24)]
    {
        let line = run.stdout.lines().find(|line| line.trim_start().split("  ").next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("no `{name}` in\n{}", run.stdout));
        assert!(line.contains(&format!("  {resources}, ")), "{line}");
    }
    let report = run.report();
    let metrics = report.at("/metrics").as_array().expect("a list").clone();
    let sum = |step: Option<&str>| {
        let found = metrics.iter().find(|metric| metric["name"] == "resources" && metric["step"].as_str() == step);
        found.and_then(|metric| metric["sum"].as_f64())
    };
    assert_eq!([None, Some("Home"), Some("Gallery")].map(sum), [Some(30.0), Some(6.0), Some(24.0)]);
    let csv = run.read("rows.csv");
    let header: Vec<&str> = csv.lines().next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).expect("a column");
    let cell = |step: &str, name: &str| {
        let line = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let mut of_metric = line.filter(|line| line[column("metric")] == "page.resources" && line[1] == step);
        of_metric.next().map(|line| line[column(name)].to_owned())
    };
    assert_eq!(
        ["", "Home", "Gallery"].map(|step| cell(step, "sum")),
        ["30", "6", "24"].map(|sum| Some(sum.to_owned()))
    );
    assert_eq!(cell("Home", "kind").as_deref(), Some("counter"));
    assert_eq!(csv.lines().filter(|line| line.starts_with(",Plain,http,")).count(), 1, "{csv}");
}

/// Ten KiB for each step and worker: its plan, its counts of a second, twice, and its share of the sum.
#[test]
fn a_step_costs_little_memory() {
    let peak = |steps: usize| {
        let steps: String = (0..steps).map(|step| format!("- {{name: Step {step}, url: /x}}\n")).collect();
        let run = ran(&format!("steps:\n{steps}"), "--users 2 --workers 2").exits(0);
        run.peak_kib
    };
    let (few, many) = (peak(20), peak(2_020));
    assert!(many <= few + 10 * 2 * 2_000, "{few} KiB with 20 steps, {many} KiB with 2,020");
}
