//! The hosts that a plugin can reach: those that the script grants. No connection is made to any other.

use stampede_tests::{Silent, guest, settled, site};

use super::{TASKS, USERS, WALKS, host_of, ran, ran_under};
use crate::shooter;

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";

#[test]
fn asks_elsewhere() {
    let target = Silent::bind();
    let said = format!("a request to `{}`, which is not granted", host_of(&target.base_url()));
    let url = format!("url: {}/x", target.base_url());
    ran("asks_elsewhere", &url).all_failed("network", &said);
    // Neither another port of the host, nor a name for it, nor a pattern that fits counts as the host.
    for terms in ["allow: ['127.0.0.1:1']", "allow: [localhost]", "allow: ['*']"] {
        ran_under("asks_elsewhere", terms, &url, FLAGS).all_failed("network", &said);
    }
    target.assert_untouched();
}

#[test]
fn asks_elsewhere_by_a_redirect() {
    let (site, target) = (site(), Silent::bind());
    let script = format!(
        "plugins: {{guest: {{source: '{}', allow: ['{}']}}}}
steps: [{{name: Bad, action: misbehave, url: '{}/redirect-to?url={}/x'}}]
",
        guest("asks_elsewhere").display(),
        host_of(&site.base_url()),
        site.base_url(),
        target.base_url()
    );
    let run = shooter().script(&script).report().finish().exits(9);
    target.assert_untouched();
    let report = run.report();
    let example = report.row("Bad").example("network").to_owned();
    let host = host_of(&target.base_url()).to_owned();
    let expected =
        format!("redirect to `{host}`, which is not granted; add `allow: [\"{host}\"]` to the plugin's entry");
    assert_eq!(example, expected);
    assert_eq!(settled(&site.stats()).requests, 1, "the redirect itself");
}

/// A pattern fits any name, and the owner of the name decides where it leads.
#[test]
fn asks_elsewhere_by_a_name_that_leads_inside() {
    let target = Silent::bind();
    let base = target.base_url().replace("127.0.0.1", "localhost");
    let url = format!("url: {base}/x");
    let ran = ran_under("asks_elsewhere", "allow: ['*']", &url, FLAGS);
    let bad = ran.bad();
    assert_eq!(bad.tasks("failed"), TASKS);
    let example = bad.example("network");
    assert!(example.starts_with("localhost resolves to ") && example.ends_with("` to the plugin's entry"), "{example}");
    target.assert_untouched();
}

#[test]
fn a_plugin_reaches_what_it_is_granted() {
    for terms in ["127.0.0.1", "127.0.0.0/8"] {
        let site = site();
        let script = format!(
            "plugins: {{guest: {{source: '{}', allow: ['{terms}']}}}}
steps: [{{name: Good, action: misbehave, url: '{}/api/v1/catalog'}}]
",
            guest("asks_elsewhere").display(),
            site.base_url()
        );
        let flags = format!("--users {USERS} --iterations {WALKS}");
        let run = shooter().script(&script).args(&flags).report().finish().exits(0);
        assert_eq!(run.report().row("Good").tasks("passed"), TASKS, "{terms}\n{}", run.stdout);
        assert_eq!(settled(&site.stats()).requests, TASKS);
    }
}

/// A request that is prepared before the run is rejected before the run.
#[test]
fn a_prepared_request_to_elsewhere_is_an_error_in_the_script() {
    let target = Silent::bind();
    let script = format!(
        "plugins: {{guest: '{}'}}\nsteps: [{{name: All, action: misbehave, url: '{}/x'}}]\n",
        guest("every_capability").display(),
        target.base_url()
    );
    let run = shooter().script(&script).finish().exits(3);
    let host = host_of(&target.base_url()).to_owned();
    let said = format!(
        "error[script::parameter]: plugin `guest` is not granted `{host}`; add `allow: [\"{host}\"]` to its entry"
    );
    assert!(run.stderr.starts_with(&said), "{}", run.stderr);
    target.assert_untouched();
}

/// The built-in actions reach the hosts of the script's own URLs, and no reply leads them elsewhere.
#[test]
fn the_built_in_actions_follow_no_redirect_to_a_host_that_the_script_does_not_name() {
    let (site, elsewhere) = (site(), site());
    let script =
        format!("- name: Away\n  url: '{}/redirect-to?url={}/status/200'\n", site.base_url(), elsewhere.base_url());
    let run = shooter().script(&script).report().finish().exits(9);
    let host = host_of(&elsewhere.base_url()).to_owned();
    let report = run.report();
    assert_eq!(
        report.row("Away").example("network"),
        format!("redirect to `{host}`, which is not granted; add `allow: [\"{host}\"]` to the plugin's entry")
    );
    assert_eq!(settled(&elsewhere.stats()).requests, 0);
    let run = shooter().script(&script).args("--allow-host").arg(&host).report().finish().exits(0);
    assert_eq!(run.report().row("Away").tasks("passed"), 1);
    assert_eq!(settled(&elsewhere.stats()).requests, 1);
}

/// The line of a message about a host that is not granted grants it.
#[test]
fn the_line_that_a_message_gives_grants_the_host() {
    let site = site();
    let url = format!("url: {}/status/200", site.base_url());
    let example = ran("asks_elsewhere", &url).bad().example("network").to_owned();
    let line = example.split('`').nth(3).expect("a line").to_owned();
    assert!(line.starts_with("allow: [\"127.0.0.1:"), "{example}");
    ran_under("asks_elsewhere", &line, &url, FLAGS).all_of(TASKS, "passed");
}

#[test]
fn check_shows_what_plugins_may_reach_and_which_open_connections() {
    let check = |allow: &str| {
        let entry = format!("{{source: '{}'{allow}}}", guest("hoards_sockets").display());
        let step = "{name: S, action: misbehave, port: 1, sockets: 2}";
        let script = format!("plugins: {{pair: {entry}}}\nsteps: [{step}, {{name: T, url: 'http://a.example/'}}]\n");
        shooter().args("check --users 3").script(&script).finish().exits(0).stdout
    };
    let shown = check(", allow: ['127.0.0.1', '*.b.example:443']");
    assert!(shown.contains("\nPlugin `pair` may reach 127.0.0.1, *.b.example:443.\n"), "{shown}");
    assert!(shown.contains("up to 3 connections and those that plugin `pair` opens (up to 64 a user), "), "{shown}");
    let shown = check("");
    assert!(shown.contains("\nPlugin `pair` may reach no host: `allow` in its entry grants some.\n"), "{shown}");
    let script = "- {name: T, url: 'http://a.example/'}\n";
    let plain = shooter().args("check --allow-host c.example").script(script).finish().exits(0).stdout;
    assert!(
        plain.contains("\nPlugin `http` may reach c.example.\n") && plain.contains("up to 1 connection, "),
        "{plain}"
    );
}
