//! The names under which a run is found on the bus: subjects of messages, keys of records, and the buckets and streams
//! that hold them. Nothing else in the crate makes such a name.
//!
//! | name | kind | written by | holds |
//! |---|---|---|---|
//! | `STAMPEDE_PLAN` | key-value, file, history 1 | the program that starts the run | the [plan](crate::FleetPlan), key `RUN.plan`; the [state](crate::RunState), key `RUN.state`, written by the coordinator |
//! | `STAMPEDE_LEASE` | key-value, memory, entries live for 5 s | nodes, coordinator | leases, keys `RUN.seg.I` and `RUN.coord` |
//! | `STAMPEDE_OBJECTS` | objects, file | the program that starts the run | script, plugins, data, by SHA-256 |
//! | `STAMPEDE_FIN` | stream of `stampede.*.fin.>`, file | nodes | final counts, in order for each node |
//! | `stampede.RUN.ctl` | subject | coordinator | the [pulse](crate::ToNode::Pulse), for all nodes |
//! | `stampede.RUN.to.NODE` | subject | coordinator | answers to one node, or to one operator |
//! | `stampede.RUN.clk.NODE` | subject | node | clock probes |
//! | `stampede.RUN.rdy.NODE` | subject | node | readiness |
//! | `stampede.RUN.hb.NODE` | subject | node | heartbeats |
//! | `stampede.RUN.iv.NODE` | subject | node | frames and snapshots |
//! | `stampede.RUN.fin.NODE` | subject of the stream | node | final counts |
//! | `stampede.RUN.ask.OPERATOR` | subject | operator | requests to stop, scale, pause; the status |

use crate::names::{NodeName, RunId};

/// The bucket of plans and states: key-value, on disk, one value a key.
pub const PLAN_BUCKET: &str = "STAMPEDE_PLAN";

/// The bucket of leases: key-value, in memory, where a value lives for [`LEASE_LAPSE`](crate::LEASE_LAPSE).
pub const LEASE_BUCKET: &str = "STAMPEDE_LEASE";

/// The object store of scripts, plugins and data files.
pub const OBJECT_STORE: &str = "STAMPEDE_OBJECTS";

/// The stream of final counts, on disk.
pub const FIN_STREAM: &str = "STAMPEDE_FIN";

/// The subjects that the stream of final counts takes.
pub const FIN_SUBJECTS: &str = "stampede.*.fin.>";

/// The kinds of messages that a node or an operator sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Clock probes.
    Probe,
    /// Readiness.
    Ready,
    /// Heartbeats.
    Heartbeat,
    /// Frames and snapshots of counts.
    Counts,
    /// Final counts, which the stream keeps.
    Final,
    /// Requests of an operator.
    Ask,
}

impl Channel {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Probe, Self::Ready, Self::Heartbeat, Self::Counts, Self::Final, Self::Ask];

    const fn token(self) -> &'static str {
        match self {
            Self::Probe => "clk",
            Self::Ready => "rdy",
            Self::Heartbeat => "hb",
            Self::Counts => "iv",
            Self::Final => "fin",
            Self::Ask => "ask",
        }
    }
}

/// The subjects and keys of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    run: RunId,
}

impl Subjects {
    /// Returns the names of a run.
    pub const fn new(run: RunId) -> Self {
        Self { run }
    }

    /// Returns the subject on which a node or an operator sends.
    pub fn from(&self, channel: Channel, sender: &NodeName) -> String {
        format!("stampede.{}.{}.{sender}", self.run, channel.token())
    }

    /// Returns the pattern of all senders on a channel, to which the coordinator subscribes.
    pub fn all(&self, channel: Channel) -> String {
        format!("stampede.{}.{}.*", self.run, channel.token())
    }

    /// Returns the subject on which the coordinator speaks to all nodes.
    pub fn control(&self) -> String {
        format!("stampede.{}.ctl", self.run)
    }

    /// Returns the subject on which the coordinator speaks to one node or operator.
    pub fn to(&self, receiver: &NodeName) -> String {
        format!("stampede.{}.to.{receiver}", self.run)
    }

    /// Returns the key of the plan in [`PLAN_BUCKET`].
    pub fn plan_key(&self) -> String {
        format!("{}.plan", self.run)
    }

    /// Returns the key of the state in [`PLAN_BUCKET`].
    pub fn state_key(&self) -> String {
        format!("{}.state", self.run)
    }

    /// Returns the key of a segment's lease in [`LEASE_BUCKET`].
    pub fn segment_key(&self, segment: u32) -> String {
        format!("{}.seg.{segment}", self.run)
    }

    /// Returns the key of the coordinator's lease in [`LEASE_BUCKET`].
    pub fn coordinator_key(&self) -> String {
        format!("{}.coord", self.run)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn longest() -> (Subjects, NodeName) {
        let name = "Az09-_xx".repeat(8);
        (Subjects::new(RunId::new(&name).unwrap()), NodeName::new(&name).unwrap())
    }

    #[test]
    fn subjects_have_the_characters_that_nats_allows() {
        let (subjects, node) = longest();
        let mut all: Vec<_> = Channel::ALL.iter().map(|channel| subjects.from(*channel, &node)).collect();
        all.extend([subjects.control(), subjects.to(&node)]);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "each has a name of its own");
        for subject in &all {
            // NATS: no white space, no empty token, `*` and `>` in patterns alone; 256 bytes are portable.
            let sound =
                |token: &str| !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic() && !"*>".contains(c));
            assert!(subject.split('.').all(sound) && subject.len() <= 256, "{subject}");
            assert!(subject.starts_with(&format!("stampede.{}.", subjects.run)));
        }
    }

    #[test]
    fn keys_have_the_characters_that_nats_allows() {
        let (subjects, _) = longest();
        let mut all = vec![subjects.plan_key(), subjects.state_key(), subjects.coordinator_key()];
        all.extend((0..3).map(|segment| subjects.segment_key(segment)));
        for key in all {
            let sound = key.chars().all(|c| c.is_ascii_alphanumeric() || "-/_=.".contains(c));
            assert!(sound && !key.starts_with('.') && !key.ends_with('.') && !key.contains(".."), "{key}");
        }
        for bucket in [PLAN_BUCKET, LEASE_BUCKET, OBJECT_STORE, FIN_STREAM] {
            assert!(bucket.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{bucket}");
        }
    }

    #[test]
    fn patterns_match_their_subjects() {
        let (subjects, node) = longest();
        for channel in Channel::ALL {
            let (pattern, subject) = (subjects.all(channel), subjects.from(channel, &node));
            assert_eq!(pattern.strip_suffix('*'), subject.strip_suffix(node.as_str()));
        }
        let fin = subjects.from(Channel::Final, &node);
        let tokens: Vec<_> = fin.split('.').collect();
        assert_eq!((tokens[0], tokens[2], FIN_SUBJECTS), ("stampede", "fin", "stampede.*.fin.>"));
    }
}
