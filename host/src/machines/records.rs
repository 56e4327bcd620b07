//! Records and leases on the bus, as answers that the state machines take. Each operation ends within two seconds.

use async_nats::jetstream::kv;
use async_nats::jetstream::kv::UpdateErrorKind;
use stampede_fleet::{Fetched, LeaseAnswer, PutAnswer};
use tokio::time::timeout;

use super::bus::{ANSWER_TIMEOUT, Bus, is_value};

impl Bus {
    /// Reads a record of the bucket of plans and states.
    pub(super) async fn get_record(&self, key: &str) -> Fetched {
        match timeout(ANSWER_TIMEOUT, async { fetch(self.plans().await, key).await }).await {
            Ok(fetched) => fetched,
            Err(_) => Fetched::Failed,
        }
    }

    /// Reads a lease.
    pub(super) async fn get_lease(&self, key: &str) -> Fetched {
        match timeout(ANSWER_TIMEOUT, async { fetch(self.leases().await, key).await }).await {
            Ok(fetched) => fetched,
            Err(_) => Fetched::Failed,
        }
    }

    /// Writes a record if it has this revision, or if there is none.
    pub(super) async fn put_record(&self, key: &str, revision: Option<u64>, value: Vec<u8>) -> PutAnswer {
        let put = async {
            let Some(store) = self.plans().await else { return PutAnswer::Failed };
            match store.update(key, value.into(), revision.unwrap_or(0)).await {
                Ok(revision) => PutAnswer::Written { revision },
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => PutAnswer::Conflict,
                Err(_) => PutAnswer::Failed,
            }
        };
        timeout(ANSWER_TIMEOUT, put).await.unwrap_or(PutAnswer::Failed)
    }

    /// Creates a lease if there is none, or writes it if it has this revision.
    pub(super) async fn write_lease(&self, key: &str, revision: Option<u64>, value: Vec<u8>) -> LeaseAnswer {
        let write = async {
            let Some(store) = self.leases().await else { return LeaseAnswer::Failed };
            match store.update(key, value.clone().into(), revision.unwrap_or(0)).await {
                Ok(revision) => LeaseAnswer::Held { revision },
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                    resolve(store, key, revision, value).await
                }
                Err(_) => LeaseAnswer::Failed,
            }
        };
        timeout(ANSWER_TIMEOUT, write).await.unwrap_or(LeaseAnswer::Failed)
    }

    /// Deletes a lease if it has this revision.
    pub(super) async fn delete_lease(&self, key: &str, revision: u64) {
        if let Some(store) = self.leases().await {
            // A lease that is not deleted lapses.
            let _ = timeout(ANSWER_TIMEOUT, store.delete_expect_revision(key, Some(revision))).await;
        }
    }
}

async fn fetch(store: Option<&kv::Store>, key: &str) -> Fetched {
    // Where there is no bucket, there is no record.
    let Some(store) = store else { return Fetched::Absent };
    match store.entry(key).await {
        Ok(Some(entry)) if is_value(&entry) => Fetched::Found { revision: entry.revision, value: entry.value.to_vec() },
        Ok(_) => Fetched::Absent,
        Err(_) => Fetched::Failed,
    }
}

/// Finds out why a lease was not written. A claim takes the place of the mark that a deleted lease has left.
async fn resolve(store: &kv::Store, key: &str, revision: Option<u64>, value: Vec<u8>) -> LeaseAnswer {
    match store.entry(key).await {
        Ok(Some(entry)) if is_value(&entry) => {
            LeaseAnswer::Taken { revision: entry.revision, value: entry.value.to_vec() }
        }
        Ok(Some(mark)) if revision.is_none() => match store.update(key, value.into(), mark.revision).await {
            Ok(revision) => LeaseAnswer::Held { revision },
            Err(_) => LeaseAnswer::Failed,
        },
        Ok(_) => LeaseAnswer::Absent,
        Err(_) => LeaseAnswer::Failed,
    }
}
