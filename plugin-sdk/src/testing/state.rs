//! What the fake host knows: the test's script, what is in flight, and what was recorded.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use super::{Reply, Run, SentRequest};
use crate::bindings::http_types::RequestTemplate;
use crate::{Failure, FailureKind};

/// What the test said beforehand.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// For the requests to come, in the order sent.
    pub replies: VecDeque<Reply>,
    /// Texts by helper call; the last text stays.
    pub helpers: Vec<(String, VecDeque<String>)>,
    /// The user's, before the run and during it.
    pub variables: Vec<(String, String)>,
}

/// An operation, by its number.
pub(super) struct Operation {
    /// When it completes, in virtual nanoseconds.
    pub due: u64,
    /// `None` for a timer.
    pub reply: Option<Reply>,
    /// Whether the request asked for the body.
    pub keep_body: bool,
    /// Whether the action has been told.
    pub announced: bool,
}

/// The host of one test thread; numbers given out are indexes into its lists.
#[derive(Default)]
pub(super) struct State {
    pub script: Script,
    /// Whether a task runs, so that templates and requests can no longer be prepared.
    pub running: bool,
    /// Virtual time since the run began, in nanoseconds.
    pub now: u64,
    /// The next number of the user's random stream.
    pub random: u64,
    /// Sources, by template number.
    pub templates: Vec<String>,
    /// By request number.
    pub prepared: Vec<RequestTemplate>,
    /// By operation number; the numbers of one task.
    pub operations: Vec<Operation>,
    /// The first report.
    pub reported: Option<Failure>,
    /// What the host itself found.
    pub found: Option<FailureKind>,
    pub requests: Vec<SentRequest>,
    pub user_headers: Vec<(String, String)>,
    pub log: Vec<String>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Access for a moment: never while the action runs.
pub(super) fn with<T>(body: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(body)
}

/// A new host, as at the start of a run.
pub(super) fn begin(script: Script) {
    STATE.replace(State { script, ..State::default() });
}

/// Goes forward to what completes next, of several at the same time the one submitted first; its number.
pub(super) fn complete_next() -> Option<u32> {
    with(|state| {
        let in_flight = state.operations.iter_mut().zip(0..).filter(|(operation, _)| !operation.announced);
        let (operation, number) = in_flight.min_by_key(|(operation, _)| operation.due)?;
        operation.announced = true;
        state.now = operation.due;
        let captures = operation.reply.as_ref().map(|reply| reply.captures.clone()).unwrap_or_default();
        captures.iter().for_each(|(name, value)| set(&mut state.script.variables, name, value));
        Some(number)
    })
}

/// What is left for the test to look at.
pub(super) fn end(passed: bool) -> Run {
    let state = STATE.take();
    let unexplained = || Failure::new(state.found.unwrap_or(FailureKind::Plugin), "");
    Run {
        failure: (!passed).then(|| state.reported.clone().unwrap_or_else(unexplained)),
        requests: state.requests,
        user_headers: state.user_headers,
        variables: state.script.variables,
        log: state.log,
        elapsed: Duration::from_nanos(state.now),
    }
}

impl State {
    /// Keeps a template, if every call in it is one this host knows.
    pub fn compile(&mut self, source: &str) -> Result<u32, String> {
        for call in calls(source) {
            let name = call?;
            let known = name.starts_with("var ") || self.script.helpers.iter().any(|(known, _)| known == name);
            if !known {
                return Err(format!("unknown helper `{}`", name.split(' ').next().unwrap_or_default()));
            }
        }
        self.templates.push(source.to_owned());
        Ok(u32::try_from(self.templates.len() - 1).expect("few templates"))
    }

    /// Puts texts in place of the calls.
    pub fn render(&mut self, template: u32) -> String {
        let source = self.templates[template as usize].clone();
        let calls: Vec<&str> = calls(&source).filter_map(Result::ok).collect();
        calls.iter().fold(source.clone(), |text, call| {
            let (before, rest) = text.split_once("{{").expect("as many braces as calls");
            let (_, after) = rest.split_once("}}").expect("closed, or it would not have compiled");
            format!("{before}{}{after}", self.value(call))
        })
    }

    /// What a call renders to this time.
    fn value(&mut self, call: &str) -> String {
        if let Some(name) = call.strip_prefix("var ") {
            return self.variable(name.trim()).unwrap_or_default();
        }
        let texts = self.script.helpers.iter_mut().find(|(known, _)| known == call).map(|(_, texts)| texts);
        texts
            .and_then(|texts| if texts.len() > 1 { texts.pop_front() } else { texts.front().cloned() })
            .unwrap_or_default()
    }

    /// A variable of the user, if it is set.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.script.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Renders the values, in order.
    pub fn render_fields(&mut self, fields: &[(String, u32)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, template)| (name.clone(), self.render(*template))).collect()
    }

    /// Puts an operation in flight; its number.
    pub fn submit(&mut self, after: Duration, reply: Option<Reply>, keep_body: bool) -> u32 {
        let due = self.now + u64::try_from(after.as_nanos()).expect("a test's time");
        self.operations.push(Operation { due, reply, keep_body, announced: false });
        u32::try_from(self.operations.len() - 1).expect("few operations")
    }

    /// Records a request and puts it in flight.
    pub fn send(&mut self, request: SentRequest) -> u32 {
        let reply = self.script.replies.pop_front();
        let reply = reply.unwrap_or_else(|| panic!("the test has no reply for {} {}", request.method, request.url));
        let keep_body = request.options.keep_body;
        self.requests.push(request);
        self.submit(reply.after, Some(reply), keep_body)
    }

    /// The reply of an announced exchange.
    pub fn reply(&self, operation: u32) -> (&Reply, bool) {
        let operation = &self.operations[operation as usize];
        assert!(operation.announced, "the reply is not in yet");
        (operation.reply.as_ref().expect("a timer has no reply"), operation.keep_body)
    }
}

/// Sets a value under a name that occurs once.
pub(super) fn set(list: &mut Vec<(String, String)>, name: &str, value: &str) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => list.push((name.to_owned(), value.to_owned())),
    }
}

/// What stands between `{{` and `}}`, trimmed.
fn calls(source: &str) -> impl Iterator<Item = Result<&str, String>> {
    source.split("{{").skip(1).map(|rest| match rest.split_once("}}") {
        Some((call, _)) => Ok(call.trim()),
        None => Err("`{{` without `}}`".to_owned()),
    })
}
