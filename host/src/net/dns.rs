//! Resolution of names, once for all users of a worker. Ten thousand users who start in the same second need the same
//! name; one `getaddrinfo` answers them all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;

use stampede_time::{Clock, Nanos, SECOND};
use tokio::sync::OnceCell;

/// Lifetime of addresses, after which the name is looked up again.
const TTL: Nanos = 300 * SECOND;

/// Time for which a name that does not resolve is not looked up again.
const NEGATIVE_TTL: Nanos = SECOND;

/// Maximum number of names kept: a script that generates names must not fill the memory.
const MAX_NAMES: usize = 1024;

/// The addresses in the resolver's order, or `None` if the name does not resolve.
pub(super) type Addresses = Option<Rc<[IpAddr]>>;

struct DnsAnswer {
    addresses: Addresses,
    expires: Nanos,
}

/// The answer for a name, or the lookup that every user of the name waits for.
type DnsEntry = Rc<OnceCell<DnsAnswer>>;

/// The name cache of one worker.
#[derive(Default)]
pub struct DnsCache(RefCell<HashMap<Box<str>, DnsEntry>>);

/// The result of a lookup.
pub struct Resolution {
    /// The answer.
    pub addresses: Addresses,
    /// True when the answer was not in the cache.
    pub waited: bool,
}

impl DnsCache {
    /// Returns the addresses of a host, from the cache or by `lookup`.
    pub async fn resolve(
        &self,
        host: &str,
        clock: Clock,
        lookup: impl AsyncFnOnce(&str) -> io::Result<Vec<IpAddr>>,
    ) -> Resolution {
        let entry = self.entry(host, clock.now());
        let waited = entry.get().is_none();
        let answer = entry
            .get_or_init(|| async {
                let addresses = lookup(host).await.ok().filter(|addresses| !addresses.is_empty());
                let lifetime = if addresses.is_some() { TTL } else { NEGATIVE_TTL };
                DnsAnswer { addresses: addresses.map(Rc::from), expires: clock.now() + lifetime }
            })
            .await;
        Resolution { addresses: answer.addresses.clone(), waited }
    }

    /// Returns the entry of a host; a new one if there is none or it has expired.
    fn entry(&self, host: &str, now: Nanos) -> DnsEntry {
        let is_fresh = |entry: &DnsEntry| entry.get().is_none_or(|answer| now < answer.expires);
        let mut names = self.0.borrow_mut();
        if let Some(entry) = names.get(host).filter(|entry| is_fresh(entry)) {
            return Rc::clone(entry);
        }
        if names.len() >= MAX_NAMES {
            names.retain(|_, entry| is_fresh(entry));
        }
        if names.len() >= MAX_NAMES {
            names.clear();
        }
        let entry = DnsEntry::default();
        names.insert(host.into(), Rc::clone(&entry));
        entry
    }
}

/// Resolves a name through the operating system.
pub(super) async fn system_lookup(host: &str) -> io::Result<Vec<IpAddr>> {
    let addresses = tokio::net::lookup_host((host, 0)).await?;
    Ok(addresses.map(|address| address.ip()).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    /// Counts its lookups.
    #[derive(Default)]
    struct Nameserver {
        lookups: Cell<usize>,
    }

    impl Nameserver {
        async fn answer(&self, host: &str) -> io::Result<Vec<IpAddr>> {
            self.lookups.set(self.lookups.get() + 1);
            tokio::task::yield_now().await;
            match host {
                "site" => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        }

        async fn resolve(&self, names: &DnsCache, clock: Clock, host: &str) -> Resolution {
            names.resolve(host, clock, async |host| self.answer(host).await).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn simultaneous_users_share_one_lookup() {
        let (names, server, clock) = (Rc::new(DnsCache::default()), Rc::new(Nameserver::default()), Clock::start());
        let users = tokio::task::LocalSet::new();
        for _ in 0..1_000 {
            let (names, server) = (Rc::clone(&names), Rc::clone(&server));
            users.spawn_local(async move {
                let resolved = server.resolve(&names, clock, "site").await;
                assert!(resolved.waited && resolved.addresses.is_some());
            });
        }
        users.await;
        assert_eq!(server.lookups.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_kept_for_five_minutes_and_failures_for_a_second() {
        let (names, server, clock) = (DnsCache::default(), Nameserver::default(), Clock::start());
        for (case, host, wait, lookups) in [
            ("first time", "site", 0, 1),
            ("at once", "site", 0, 1),
            ("just before it expires", "site", 299_999, 1),
            ("when it has expired", "site", 1, 2),
            ("unknown, first time", "nowhere", 0, 3),
            ("unknown, just before it expires", "nowhere", 999, 3),
            ("unknown, when it has expired", "nowhere", 1, 4),
        ] {
            tokio::time::advance(Duration::from_millis(wait)).await;
            let resolved = server.resolve(&names, clock, host).await;
            assert_eq!(resolved.addresses.is_some(), host == "site", "{case}");
            assert_eq!(server.lookups.get(), lookups, "{case}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn another_user_takes_over_a_lookup_that_is_dropped() {
        let (names, server, clock) = (DnsCache::default(), Nameserver::default(), Clock::start());
        {
            let mut first = std::pin::pin!(server.resolve(&names, clock, "site"));
            std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
        }
        assert!(server.resolve(&names, clock, "site").await.addresses.is_some());
        assert_eq!(server.lookups.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn generated_names_do_not_fill_the_memory() {
        let (names, server, clock) = (DnsCache::default(), Nameserver::default(), Clock::start());
        for number in 0..3 * MAX_NAMES {
            server.resolve(&names, clock, &number.to_string()).await;
        }
        assert!(names.0.borrow().len() <= MAX_NAMES);
    }
}
