//! What the API calls an instance's address: a DNS name, as RDS gives it, where this machine leads such a name to itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

/// Names below it belong to the machine itself (RFC 6761, 6.3). systemd-resolved and nss-myhostname know that; plain glibc asks a DNS server,
/// which mostly knows nothing of them.
const DOMAIN: &str = "rds.localhost";

/// How long the machine may take to say whether it knows a name.
const PATIENCE: Duration = Duration::from_secs(5);

/// How clients find the instances of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// What follows an instance's identifier in its name. As on RDS, its first label stands for the account in the region.
    suffix: String,
    /// Where the names lead to; empty where this machine does not know them.
    addresses: Vec<IpAddr>,
}

impl Endpoints {
    /// Asks as most clients do, by getaddrinfo, for a name that nobody has written down.
    pub(crate) async fn find(account: &str, region: &str) -> Self {
        let asked = timeout(PATIENCE, lookup_host((format!("no-instance.{DOMAIN}"), 0))).await;
        let found = asked.into_iter().flatten().flatten().map(|address| address.ip());
        Self::led_to(found.collect(), account, region)
    }

    /// A name that leads elsewhere too, to whoever answers for every name, is no name of an instance.
    fn led_to(mut found: Vec<IpAddr>, account: &str, region: &str) -> Self {
        let here = found.contains(&Ipv4Addr::LOCALHOST.into()) && found.iter().all(IpAddr::is_loopback);
        found.retain(|_| here);
        found.sort_unstable();
        found.dedup();
        Self { suffix: format!("c{account}.{region}.{DOMAIN}"), addresses: found }
    }

    /// The name of an instance, whether or not this machine knows it.
    pub(crate) fn name(&self, instance: &str) -> String {
        format!("{instance}.{}", self.suffix)
    }

    /// What DescribeDBInstances shows as an instance's address.
    pub(crate) fn host(&self, instance: &str) -> String {
        if self.addresses.is_empty() { Ipv4Addr::LOCALHOST.to_string() } else { self.name(instance) }
    }

    /// Where the instances listen: a client may take any of the addresses that a name leads to.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        if self.addresses.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { self.addresses.clone() }
    }
}

/// For people: `names in …`, or the address and why.
impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.addresses.is_empty() {
            write!(f, "{}, because getaddrinfo knows no names in {DOMAIN} here", Ipv4Addr::LOCALHOST)
        } else {
            write!(f, "names in {}", self.suffix)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    fn led_to(found: &[IpAddr]) -> Endpoints {
        Endpoints::led_to(found.to_vec(), "000000000000", "eu-central-1")
    }

    #[test]
    fn names_that_lead_to_this_machine_are_shown_and_listened_on() {
        let endpoints = led_to(&[SIX, FOUR, FOUR]);
        assert_eq!(endpoints.host("orders-shop-1"), "orders-shop-1.c000000000000.eu-central-1.rds.localhost");
        assert_eq!(endpoints.addresses(), [FOUR, SIX]);
        assert_eq!(endpoints.to_string(), "names in c000000000000.eu-central-1.rds.localhost");
    }

    #[test]
    fn names_that_lead_nowhere_or_elsewhere_are_not() {
        let elsewhere = IpAddr::from([192, 0, 2, 1]);
        for found in [&[][..], &[elsewhere], &[FOUR, elsewhere], &[SIX]] {
            let endpoints = led_to(found);
            assert_eq!(endpoints.host("orders"), "127.0.0.1", "{found:?}");
            assert_eq!(endpoints.addresses(), [FOUR], "{found:?}");
        }
    }
}
