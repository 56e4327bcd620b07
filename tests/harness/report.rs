//! A JSON report, read as another program reads it: by its published names, not by the host's types.

use std::collections::BTreeMap;

use serde_json::Value;
use stampede_site::SiteCounts;

/// A whole report.
#[derive(Clone, Debug)]
pub struct Report(Value);

/// One row of a report: an action, or the totals.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a>(&'a Value);

impl Report {
    /// Reads the text of a report.
    ///
    /// # Panics
    /// The text is not JSON, or its schema is not the one that this reader knows.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).expect("the report is JSON");
        assert_eq!(value["schema"], "stampede-report/1");
        Self(value)
    }

    /// Returns the value at a JSON pointer; null if there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns the totals of all rows.
    pub fn totals(&self) -> Row<'_> {
        Row(&self.0["totals"])
    }

    /// Returns all rows but the totals, in the report's order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.0["actions"].as_array().into_iter().flatten().map(Row)
    }

    /// Returns the row of a step.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn row(&self, name: &str) -> Row<'_> {
        let names: Vec<_> = self.rows().map(|row| row.name()).collect();
        self.rows().find(|row| row.name() == name).unwrap_or_else(|| panic!("no row `{name}` among {names:?}"))
    }

    /// Returns how many times a plugin trapped, and how many tasks of other users failed with it.
    ///
    /// # Panics
    /// No plugin has that name.
    #[track_caller]
    pub fn traps(&self, plugin: &str) -> (u64, u64) {
        let guests = self.at("/generator/guests").as_array().into_iter().flatten();
        let guest = guests.clone().find(|guest| guest["plugin"] == plugin).expect("a plugin of that name");
        let number = |key: &str| guest[key].as_u64().expect("a number");
        (number("traps"), number("collateral"))
    }

    /// Compares the totals with the embedded site's counts: requests, each status, body bytes.
    ///
    /// # Panics
    /// They differ.
    #[track_caller]
    pub fn assert_equals(&self, site: &SiteCounts) {
        let totals = self.totals();
        assert_eq!(totals.total(), site.requests, "requests\n{}", self.0["totals"]);
        assert_eq!(totals.statuses(), site.statuses, "statuses");
        assert_eq!(totals.body_in(), site.body_bytes_sent, "bytes of reply bodies");
    }

    /// Checks that the numbers agree with each other: every task that was started has ended in one way, and every
    /// request is in the totals, as a success or a failure.
    ///
    /// # Panics
    /// The numbers disagree.
    #[track_caller]
    pub fn assert_consistent(&self) {
        for row in self.rows().chain([self.totals()]) {
            let ended: u64 = ["passed", "failed", "cancelled", "dropped"].map(|end| row.tasks(end)).iter().sum();
            assert_eq!(row.tasks("started"), ended, "tasks of `{}`", row.name());
            assert_eq!(row.total(), row.ok() + row.err(), "requests of `{}`", row.name());
            assert_eq!(row.err(), row.errors().values().sum::<u64>(), "errors of `{}`", row.name());
        }
        let requests: u64 = self.rows().map(|row| row.total()).sum();
        assert_eq!(requests, self.totals().total(), "sum of the rows' requests");
        let body_bytes: u64 = self.rows().map(|row| row.body_in()).sum();
        assert_eq!(body_bytes, self.totals().body_in(), "sum of the rows' body bytes");
    }
}

impl<'a> Row<'a> {
    /// Returns the name of the step.
    pub fn name(&self) -> &'a str {
        self.0["name"].as_str().unwrap_or_default()
    }

    /// Returns the value at a JSON pointer; null if there is none.
    pub fn at(&self, pointer: &str) -> &'a Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns the whole number at a JSON pointer.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn number(&self, pointer: &str) -> u64 {
        self.at(pointer).as_u64().unwrap_or_else(|| panic!("no number at `{pointer}` of {}", self.0))
    }

    /// Returns the number of requests.
    #[track_caller]
    pub fn total(&self) -> u64 {
        self.number("/requests/total")
    }

    /// Returns the number of requests that succeeded.
    #[track_caller]
    pub fn ok(&self) -> u64 {
        self.number("/requests/ok")
    }

    /// Returns the number of requests that failed.
    #[track_caller]
    pub fn err(&self) -> u64 {
        self.number("/requests/err")
    }

    /// Returns the length of all reply bodies in bytes.
    #[track_caller]
    pub fn body_in(&self) -> u64 {
        self.number("/bytes/body_in")
    }

    /// Returns the number of tasks that were `started`, or that ended as `passed`, `failed`, `cancelled` or `dropped`.
    #[track_caller]
    pub fn tasks(&self, what: &str) -> u64 {
        self.number(&format!("/tasks/{what}"))
    }

    /// Counts the replies by status.
    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        let statuses = self.0["statuses"].as_object().into_iter().flatten();
        statuses
            .map(|(status, count)| (status.parse().expect("a status code"), count.as_u64().expect("a count")))
            .collect()
    }

    /// Counts the failures by category.
    pub fn errors(&self) -> BTreeMap<&'a str, u64> {
        let errors = self.0["errors"].as_array().into_iter().flatten();
        errors
            .map(|error| (error["category"].as_str().expect("a category"), error["count"].as_u64().expect("a count")))
            .collect()
    }

    /// Returns the example of a failure category; empty if the report has none.
    pub fn example(&self, category: &str) -> &'a str {
        let mut errors = self.0["errors"].as_array().into_iter().flatten();
        let error = errors.find(|error| error["category"] == category);
        error.and_then(|error| error["example"]["text"].as_str()).unwrap_or_default()
    }
}
