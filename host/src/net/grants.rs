//! Grants: the hosts that a plugin may reach. By default it may reach none. A grant names a host, the hosts under a
//! domain, or a network, each with or without a port.
//!
//! A host that is granted by its own name may resolve to any address: the grant means that machine. A pattern may not:
//! an attacker can register a name that matches it and have that name resolve to a machine inside the tester's own
//! network. So the addresses behind `*` and `*.domain` must be public, unless a network that contains them is granted
//! too.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::str::FromStr;

use url::Host;

/// One grant: `site.example`, `*.site.example:443`, `10.0.0.0/8`, `[::1]:8080`, `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pattern: HostPattern,
    /// Any port if `None`.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    /// Every host.
    Any,
    /// Hosts whose names end with a dot and this domain.
    Subdomains(String),
    /// The host with this name.
    Name(String),
    /// Addresses that share this many leading bits with the network.
    Network(IpAddr, u8),
}

/// The error for a text that is not a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidGrant;

/// The hosts granted to a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// True when every host is granted.
    unrestricted: bool,
    grants: Vec<Grant>,
}

/// The addresses that a granted name may resolve to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Any address: the host was granted by its own name.
    #[default]
    Anywhere,
    /// Public addresses, and networks among these grants.
    Public(Rc<Grants>),
}

impl Reach {
    /// Returns `true` if a connection to this address may be opened.
    pub fn covers(&self, address: IpAddr, port: u16) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Public(grants) => is_public(address) || grants.network(address, port),
        }
    }
}

impl Grant {
    /// Creates a grant of one host and port.
    pub fn of(host: &str, port: u16) -> Self {
        let hosts = match host.parse() {
            Ok(address) => HostPattern::single_address(address),
            Err(_) => HostPattern::Name(host.to_ascii_lowercase()),
        };
        Self { pattern: hosts, port: Some(port) }
    }
}

/// Describes a host that is not granted, and the line that grants it.
pub(crate) fn not_granted(host: &str, port: u16) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let grant = Grant::of(host, port);
    format!("`{grant}`, which is not granted; add `allow: [\"{grant}\"]` to the plugin's entry")
}

impl HostPattern {
    fn single_address(address: IpAddr) -> Self {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Self::Network(address, bits)
    }
}

impl FromStr for Grant {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, InvalidGrant> {
        // An IPv6 address without brackets contains colons and has no port.
        let (host, port) = match text.rsplit_once(':') {
            _ if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            Some((host, port)) if !text.ends_with(']') && port.bytes().all(|digit| digit.is_ascii_digit()) => {
                (host, Some(port.parse().ok().filter(|port| *port > 0).ok_or(InvalidGrant)?))
            }
            _ => (text, None),
        };
        Ok(Self { pattern: parse_pattern(host)?, port })
    }
}

fn parse_pattern(text: &str) -> Result<HostPattern, InvalidGrant> {
    if text == "*" {
        return Ok(HostPattern::Any);
    }
    if let Some(domain) = text.strip_prefix("*.") {
        return match Host::parse(domain) {
            Ok(Host::Domain(domain)) if !domain.contains('*') => Ok(HostPattern::Subdomains(domain)),
            _ => Err(InvalidGrant),
        };
    }
    let bare = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    if let Some((network, bits)) = text.rsplit_once('/') {
        let network = bare(network).ok_or(InvalidGrant)?;
        let max_bits = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.parse().ok().filter(|bits| *bits <= max_bits).ok_or(InvalidGrant)?;
        return Ok(HostPattern::Network(network, bits));
    }
    if let Some(address) = bare(text) {
        return Ok(HostPattern::single_address(address));
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) if !name.contains('*') => Ok(HostPattern::Name(name)),
        Ok(Host::Ipv4(address)) => Ok(HostPattern::single_address(address.into())),
        _ => Err(InvalidGrant),
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            HostPattern::Any => f.write_str("*")?,
            HostPattern::Subdomains(domain) => write!(f, "*.{domain}")?,
            HostPattern::Name(name) => f.write_str(name)?,
            HostPattern::Network(IpAddr::V4(address), 32) => write!(f, "{address}")?,
            HostPattern::Network(IpAddr::V6(address), 128) => write!(f, "[{address}]")?,
            HostPattern::Network(network, bits) => write!(f, "{network}/{bits}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        Self { unrestricted: false, grants: grants.into_iter().collect() }
    }
}

impl Grants {
    /// Grants every host and every address. It is used to find out where a plugin would send requests, while none is
    /// sent.
    pub fn unrestricted() -> Self {
        Self { unrestricted: true, grants: Vec::new() }
    }

    /// Iterates over the grants.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter()
    }

    /// Returns the addresses that a host may resolve to; `None` if it is not granted. A name is in lower case, as in
    /// URLs.
    pub fn reach(self: &Rc<Self>, host: &str, port: u16) -> Option<Reach> {
        if self.unrestricted {
            return Some(Reach::Anywhere);
        }
        if let Ok(address) = host.parse() {
            let public = || is_public(address) && self.for_port(port).any(|hosts| *hosts == HostPattern::Any);
            return (self.network(address, port) || public()).then_some(Reach::Anywhere);
        }
        if self.for_port(port).any(|hosts| matches!(hosts, HostPattern::Name(name) if name == host)) {
            return Some(Reach::Anywhere);
        }
        let under = |domain: &str| host.strip_suffix(domain).is_some_and(|left| left.len() > 1 && left.ends_with('.'));
        let fits = |hosts: &HostPattern| match hosts {
            HostPattern::Any => true,
            HostPattern::Subdomains(domain) => under(domain),
            HostPattern::Name(_) | HostPattern::Network(..) => false,
        };
        self.for_port(port).any(fits).then(|| Reach::Public(Rc::clone(self)))
    }

    fn for_port(&self, port: u16) -> impl Iterator<Item = &HostPattern> {
        self.grants
            .iter()
            .filter(move |grant| grant.port.is_none_or(|granted| granted == port))
            .map(|grant| &grant.pattern)
    }

    /// Returns `true` if the address is in a granted network.
    fn network(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.for_port(port)
            .any(|hosts| matches!(hosts, HostPattern::Network(network, bits) if within(address, *network, *bits)))
    }
}

/// Returns `true` if the first `bits` bits of both are equal.
fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network.to_canonical()) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let ignored = 32_u32.saturating_sub(bits.into());
            u64::from(address.to_bits()) >> ignored == u64::from(network.to_bits()) >> ignored
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let ignored = 128_u32.saturating_sub(bits.into());
            (address.to_bits() ^ network.to_bits()).checked_shr(ignored).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Returns `true` if the address is on the public internet, by the registries of special-purpose addresses (RFC 6890
/// and its later additions).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let special = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || matches!((a, b, c), (0 | 224.., ..) | (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _));
            !special
        }
        IpAddr::V6(address) => match address.segments() {
            // IPv4 behind a translator (RFC 6052).
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                is_public(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into())
            }
            // 6to4 (RFC 3056) embeds an IPv4 address.
            [0x2002, high, low, ..] => is_public(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into()),
            [0x2001, second, ..] => second > 0x01ff && second != 0x0db8,
            // Global unicast is all of 2000::/3 and nothing else.
            [first, ..] => (0x2000..=0x3fff).contains(&first) && first != 0x3fff,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(texts: &[&str]) -> Rc<Grants> {
        Rc::new(texts.iter().map(|text| text.parse::<Grant>().unwrap()).collect())
    }

    #[test]
    fn a_grant_is_displayed_as_typed() {
        for text in ["site", "*.site:443", "*", "*:80", "10.0.0.0/8", "10.1.2.3:9", "[::1]:8080", "[::1]", "fd00::/8"] {
            assert_eq!(text.parse::<Grant>().map(|grant| grant.to_string()), Ok(text.to_owned()), "{text}");
        }
        assert_eq!("::1".parse::<Grant>().unwrap().to_string(), "[::1]");
        assert_eq!("BÜCHER.example".parse::<Grant>().unwrap().to_string(), "xn--bcher-kva.example");
        assert_eq!("0x7f.1".parse::<Grant>().unwrap().to_string(), "127.0.0.1");
    }

    #[test]
    fn invalid_grants_are_rejected() {
        for text in [
            "",
            "*.",
            "*site",
            "a*.site",
            "site:0",
            "site:65536",
            "http://site",
            "10.0.0.0/33",
            "a b",
            "*.1.2.3.4",
            "/8",
        ] {
            assert_eq!(text.parse::<Grant>(), Err(InvalidGrant), "{text}");
        }
    }

    #[test]
    fn only_named_hosts_are_granted() {
        let granted = grants(&["site.example:443", "*.cdn.example", "10.0.0.0/8", "[fd00::1]:9"]);
        for (case, host, port, reach) in [
            ("the name and its port", "site.example", 443, Some(Reach::Anywhere)),
            ("another port", "site.example", 80, None),
            ("a name under it", "www.site.example", 443, None),
            ("a name that ends alike", "mysite.example", 443, None),
            ("under a domain, any port", "a.b.cdn.example", 1, Some(Reach::Public(Rc::clone(&granted)))),
            ("the domain itself", "cdn.example", 443, None),
            ("a dot and the domain", ".cdn.example", 443, None),
            ("ends like the domain", "evilcdn.example", 443, None),
            ("in the network", "10.255.0.1", 5, Some(Reach::Anywhere)),
            ("in it, as IPv6 writes it", "::ffff:10.0.0.1", 5, Some(Reach::Anywhere)),
            ("beside the network", "11.0.0.1", 5, None),
            ("the address", "fd00::1", 9, Some(Reach::Anywhere)),
            ("the next address", "fd00::2", 9, None),
        ] {
            assert_eq!(granted.reach(host, port), reach, "{case}");
        }
        assert_eq!(grants(&[]).reach("site.example", 443), None);
        assert_eq!(grants(&["*"]).reach("127.0.0.1", 80), None, "`*` does not grant private addresses");
        assert_eq!(grants(&["*"]).reach("1.1.1.1", 80), Some(Reach::Anywhere));
        assert_eq!(Rc::new(Grants::unrestricted()).reach("127.0.0.1", 80), Some(Reach::Anywhere));
    }

    #[test]
    fn a_pattern_covers_only_public_addresses_and_granted_networks() {
        let reach = |texts: &[&str]| grants(texts).reach("x.site", 80).unwrap();
        let (pattern, network, name) = (reach(&["*.site"]), reach(&["*.site", "10.0.0.0/8:80"]), reach(&["x.site"]));
        for (address, public) in [
            ("1.1.1.1", true),
            ("127.0.0.1", false),
            ("10.1.1.1", false),
            ("169.254.169.254", false),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("2002:7f00:1::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(pattern.covers(address, 80), public, "{address}");
            assert!(name.covers(address, 80), "{address}");
        }
        assert!(network.covers("10.1.1.1".parse().unwrap(), 80));
        assert!(!network.covers("10.1.1.1".parse().unwrap(), 81));
    }
}
