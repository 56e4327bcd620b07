//! The bus in memory: records with revisions, leases that lapse, and the stream of final counts. It is never wrong;
//! the network on the way to it, in `world`, is.

use std::collections::{BTreeMap, BTreeSet};

use stampede_fleet::{Fetched, LEASE_LAPSE, LeaseAnswer, NodeName, PutAnswer, Time};

/// The keys of leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LeaseKey {
    Coordinator,
    Segment(u32),
}

/// A lease.
#[derive(Clone, Debug)]
struct Entry {
    revision: u64,
    value: Vec<u8>,
    written: Time,
}

/// The final counts that were stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredMessage {
    pub(crate) from: NodeName,
    pub(crate) payload: Vec<u8>,
}

/// The bus.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bus {
    plan: Option<Vec<u8>>,
    state: Option<(u64, Vec<u8>)>,
    leases: BTreeMap<LeaseKey, Entry>,
    lease_revision: u64,
    pub(crate) finals: Vec<StoredMessage>,
    ids: BTreeSet<String>,
}

impl Bus {
    pub(crate) fn new(plan: Vec<u8>) -> Self {
        Self { plan: Some(plan), ..Self::default() }
    }

    fn lease(&mut self, key: LeaseKey, now: Time) -> Option<&mut Entry> {
        if self.leases.get(&key).is_some_and(|entry| entry.written + LEASE_LAPSE <= now) {
            self.leases.remove(&key);
        }
        self.leases.get_mut(&key)
    }

    pub(crate) fn get_lease(&mut self, key: LeaseKey, now: Time) -> Fetched {
        match self.lease(key, now) {
            Some(entry) => Fetched::Found { revision: entry.revision, value: entry.value.clone() },
            None => Fetched::Absent,
        }
    }

    pub(crate) fn claim(&mut self, key: LeaseKey, value: Vec<u8>, now: Time) -> LeaseAnswer {
        if let Some(entry) = self.lease(key, now) {
            return LeaseAnswer::Taken { revision: entry.revision, value: entry.value.clone() };
        }
        self.lease_revision += 1;
        let revision = self.lease_revision;
        self.leases.insert(key, Entry { revision, value, written: now });
        LeaseAnswer::Held { revision }
    }

    pub(crate) fn renew(&mut self, key: LeaseKey, revision: u64, now: Time) -> LeaseAnswer {
        let next = self.lease_revision + 1;
        let Some(entry) = self.lease(key, now) else { return LeaseAnswer::Absent };
        if entry.revision != revision {
            return LeaseAnswer::Taken { revision: entry.revision, value: entry.value.clone() };
        }
        (entry.revision, entry.written) = (next, now);
        self.lease_revision = next;
        LeaseAnswer::Held { revision: next }
    }

    pub(crate) fn release(&mut self, key: LeaseKey, revision: u64, now: Time) {
        if self.lease(key, now).is_some_and(|entry| entry.revision == revision) {
            self.leases.remove(&key);
        }
    }

    /// Forgets what is in memory, as a server does that is started again.
    pub(crate) fn restart(&mut self) {
        self.leases.clear();
        self.lease_revision = 0;
    }

    pub(crate) fn get_plan(&self) -> Fetched {
        self.plan.clone().map_or(Fetched::Absent, |value| Fetched::Found { revision: 1, value })
    }

    pub(crate) fn get_state(&self) -> Fetched {
        self.state.clone().map_or(Fetched::Absent, |(revision, value)| Fetched::Found { revision, value })
    }

    pub(crate) fn put_state(&mut self, revision: Option<u64>, value: Vec<u8>) -> PutAnswer {
        if self.state.as_ref().map(|it| it.0) != revision {
            return PutAnswer::Conflict;
        }
        let next = revision.unwrap_or(0) + 1;
        self.state = Some((next, value));
        PutAnswer::Written { revision: next }
    }

    pub(crate) fn store(&mut self, id: String, from: NodeName, payload: Vec<u8>) {
        if self.ids.insert(id) {
            self.finals.push(StoredMessage { from, payload });
        }
    }
}
