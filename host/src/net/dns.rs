//! Resolution of names, once for all users of a worker. Ten thousand users who start in the same second need the same
//! name; one `getaddrinfo` answers them all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;

use stampede_time::{Clock, Nanos, SECOND};
use tokio::sync::OnceCell;

/// Time for which a name that does not resolve is not looked up again.
const NEGATIVE_TTL: Nanos = SECOND;

/// Time for which addresses are not looked up again although none of them accepts a connection.
const RENEWAL_INTERVAL: Nanos = SECOND;

/// Maximum number of names kept: a script that generates names must not fill the memory.
const MAX_NAMES: usize = 1024;

/// The addresses in the resolver's order, or `None` if the name does not resolve.
pub(super) type Addresses = Option<Rc<[IpAddr]>>;

struct DnsAnswer {
    addresses: Addresses,
    /// Time of the answer.
    at: Nanos,
}

/// The answer for a name, or the lookup that every user of the name waits for.
type DnsEntry = Rc<OnceCell<DnsAnswer>>;

/// The entries of names.
type DnsEntries = RefCell<HashMap<Box<str>, DnsEntry>>;

/// The name cache of one worker.
pub struct DnsCache {
    /// Lifetime of addresses, after which a name is looked up again.
    ttl: Nanos,
    names: DnsEntries,
    /// Names that were looked up again before their addresses expired.
    renewals: DnsEntries,
}

/// The result of a lookup.
pub struct Resolution {
    /// The answer.
    pub addresses: Addresses,
    /// True when the answer was not in the cache.
    pub waited: bool,
}

impl DnsCache {
    /// Creates an empty cache whose addresses expire after this time.
    pub(super) fn new(ttl: Nanos) -> Self {
        Self { ttl, names: RefCell::default(), renewals: RefCell::default() }
    }

    /// Returns the addresses of a host, from the cache or by `lookup`.
    pub async fn resolve(
        &self,
        host: &str,
        clock: Clock,
        lookup: impl AsyncFnOnce(&str) -> io::Result<Vec<IpAddr>>,
    ) -> Resolution {
        let entry = entry(&self.names, host, |answer| clock.now() < answer.expires(self.ttl));
        let waited = entry.get().is_none();
        let answer = entry.get_or_init(|| DnsAnswer::of(host, clock, lookup)).await;
        Resolution { addresses: answer.addresses.clone(), waited }
    }

    /// Returns the addresses of a host, looked up again unless that was done just before. A lookup that fails leaves
    /// the addresses in the cache.
    pub async fn renew(
        &self,
        host: &str,
        clock: Clock,
        lookup: impl AsyncFnOnce(&str) -> io::Result<Vec<IpAddr>>,
    ) -> Addresses {
        let is_new = |answer: &DnsAnswer| clock.now() < answer.at + RENEWAL_INTERVAL;
        let known = self.names.borrow().get(host).map(Rc::clone);
        if let Some(answer) = known.as_ref().and_then(|entry| entry.get()).filter(|answer| is_new(answer)) {
            return answer.addresses.clone();
        }
        let entry = entry(&self.renewals, host, is_new);
        let answer = entry.get_or_init(|| DnsAnswer::of(host, clock, lookup)).await;
        if answer.addresses.is_some() {
            self.names.borrow_mut().insert(host.into(), Rc::clone(&entry));
        }
        answer.addresses.clone()
    }
}

impl DnsAnswer {
    async fn of(host: &str, clock: Clock, lookup: impl AsyncFnOnce(&str) -> io::Result<Vec<IpAddr>>) -> Self {
        let addresses = lookup(host).await.ok().filter(|addresses| !addresses.is_empty());
        Self { addresses: addresses.map(Rc::from), at: clock.now() }
    }

    /// Returns the time from which the answer is not used any more.
    fn expires(&self, ttl: Nanos) -> Nanos {
        self.at.saturating_add(if self.addresses.is_some() { ttl } else { ttl.min(NEGATIVE_TTL) })
    }
}

/// Returns the entry of a host; a new one if there is none or its answer is not fresh.
fn entry(names: &DnsEntries, host: &str, is_fresh: impl Fn(&DnsAnswer) -> bool) -> DnsEntry {
    let is_fresh = |entry: &DnsEntry| entry.get().is_none_or(&is_fresh);
    let mut names = names.borrow_mut();
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

    const TTL: Nanos = 300 * SECOND;

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
        let (names, server, clock) = (Rc::new(DnsCache::new(TTL)), Rc::new(Nameserver::default()), Clock::start());
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
    async fn answers_are_kept_for_their_lifetime_and_failures_for_a_second() {
        let (names, server, clock) = (DnsCache::new(TTL), Nameserver::default(), Clock::start());
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
        let (names, server, clock) = (DnsCache::new(TTL), Nameserver::default(), Clock::start());
        {
            let mut first = std::pin::pin!(server.resolve(&names, clock, "site"));
            std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
        }
        assert!(server.resolve(&names, clock, "site").await.addresses.is_some());
        assert_eq!(server.lookups.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn generated_names_do_not_fill_the_memory() {
        let (names, server, clock) = (DnsCache::new(TTL), Nameserver::default(), Clock::start());
        for number in 0..3 * MAX_NAMES {
            server.resolve(&names, clock, &number.to_string()).await;
        }
        assert!(names.names.borrow().len() <= MAX_NAMES);
    }
    #[tokio::test(start_paused = true)]
    async fn without_a_lifetime_each_connection_looks_the_name_up() {
        let (names, server, clock) = (DnsCache::new(0), Nameserver::default(), Clock::start());
        for lookups in 1..4 {
            assert!(server.resolve(&names, clock, "site").await.addresses.is_some());
            assert_eq!(server.lookups.get(), lookups);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_looked_up_again_on_request_once_a_second() {
        let (names, server, clock) = (DnsCache::new(TTL), Nameserver::default(), Clock::start());
        server.resolve(&names, clock, "site").await;
        for (case, wait, lookups) in [
            ("at once", 0, 1),
            ("a second later", 1_000, 2),
            ("and at once", 0, 2),
            ("and just before another second is over", 999, 2),
            ("and then", 1, 3),
        ] {
            tokio::time::advance(Duration::from_millis(wait)).await;
            let renewed = names.renew("site", clock, async |host| server.answer(host).await).await;
            assert!(renewed.is_some(), "{case}");
            assert_eq!(server.lookups.get(), lookups, "{case}");
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        let failed = async |_: &str| Err(io::ErrorKind::NotFound.into());
        assert!(names.renew("site", clock, failed).await.is_none());
        assert!(server.resolve(&names, clock, "site").await.addresses.is_some(), "the addresses stay");
    }
}
