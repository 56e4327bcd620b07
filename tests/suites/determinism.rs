//! One seed gives one sequence of requests for each user, whatever the number of workers and the timing; another seed
//! gives another.

use std::collections::BTreeMap;

use stampede_tests::RawServer;

use crate::shooter;

/// A script with every helper that draws or deals values, in every part of a request.
const SCRIPT: &str = r#"
data:
  movies: [alien, brazil, casablanca, delicatessen]
  people: [{name: ann, id: "1"}, {name: bob, id: "2"}, {name: cyd, id: "3"}]
steps:
  - name: Get
    url: /get/{{randInt 1 1000}}/{{randString 8}}?movie={{urlencode (pick movies)}}
    headers: {x-user: "{{userId}}", x-id: "{{uuid}}"}
  - name: Post
    method: POST
    url: /post/{{iteration}}/{{next movies}}
    headers: {x-user: "{{userId}}"}
    json_body: {float: "{{randFloat 0 1}}", person: "{{pick people.name}} {{pick people.id}}"}
"#;

/// Returns the requests of each user, in order.
type Requests = BTreeMap<String, Vec<(String, String, Vec<u8>)>>;

fn requests(target: &RawServer, arguments: &str) -> Requests {
    let run = shooter().script(SCRIPT).args("--users 10 --iterations 5 --base-url").arg(target.base_url());
    run.args(arguments).finish().exits(0);
    let mut users = Requests::new();
    for request in target.take() {
        let (user, id) = (request.header("x-user").to_owned(), request.header("x-id").to_owned());
        users.entry(user).or_default().push((request.line, id, request.body));
    }
    users
}

#[test]
fn a_seed_gives_each_user_the_same_requests_and_another_seed_gives_others() {
    let target = RawServer::recording();
    let first = requests(&target, "--seed 42 --workers 1");
    assert_eq!(first.len(), 10);
    assert!(first.values().all(|sent| sent.len() == 10));
    assert_eq!(requests(&target, "--seed 42 --workers 1"), first, "once more");
    assert_eq!(requests(&target, "--seed 42 --workers 3"), first, "on other threads");
    assert_eq!(requests(&target, "--seed 42 --workers 2 --rps 200"), first, "at other times");
    let other = requests(&target, "--seed 43 --workers 1");
    assert!(first.iter().all(|(user, sent)| other[user] != *sent));
}

#[test]
fn without_a_seed_every_run_differs_and_the_report_says_how_to_repeat_it() {
    let target = RawServer::recording();
    let seed = || {
        let run = shooter().script(SCRIPT).report().arg("--base-url").arg(target.base_url()).finish().exits(0);
        run.report().at("/settings/seed").as_u64().expect("a seed")
    };
    let (first, second) = (seed(), seed());
    assert_ne!(first, second);
    target.take();
    let again = requests(&target, &format!("--seed {first}"));
    assert_eq!(requests(&target, &format!("--seed {first}")), again);
}
