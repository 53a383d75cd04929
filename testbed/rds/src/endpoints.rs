//! Where clients find an instance: its DNS name, address and port.
//!
//! Instances share the machine's loopback addresses and tell each other apart by ports, unless they are given a network of their own: then each
//! has an address and PostgreSQL's own port, as on RDS, and a hosts file says which.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rds_model::Instance;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::store::write_atomically;

/// Names below it belong to the machine itself (RFC 6761, 6.3). systemd-resolved and nss-myhostname know that; plain glibc asks a DNS server,
/// which mostly knows nothing of them.
const DOMAIN: &str = "rds.localhost";

/// How long the machine may take to say whether it knows a name.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where an instance with an address of its own listens.
const POSTGRESQL: u16 = 5432;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    /// A client may take any of the addresses that a name leads to.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) port: u16,
    /// Whether its clients are on this machine, and so come from the address that they come to.
    pub(crate) from_this_machine: bool,
}

/// How clients find the instances of one account in one region.
#[derive(Debug)]
pub(crate) struct Endpoints {
    /// What follows an instance's identifier in its name. As on RDS, its first label stands for the account in the region.
    suffix: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// The addresses that names of this machine lead to; empty where it knows none.
    Loopback(Vec<IpAddr>),
    Network(Network),
}

/// A network of the instances' own.
#[derive(Debug)]
struct Network {
    /// The address of the instance with the number 0: the lowest port that an instance has.
    first: Ipv4Addr,
    /// Names and addresses of those that were started, for whoever answers for the names.
    hosts: PathBuf,
    known: Mutex<BTreeMap<String, Ipv4Addr>>,
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
        Self { suffix: suffix(account, region), place: Place::Loopback(found) }
    }

    /// Each instance at an address of its own, from `first` on; `hosts` is a file to be written.
    pub(crate) fn network(first: Ipv4Addr, hosts: PathBuf, account: &str, region: &str) -> Self {
        let known = Mutex::default();
        Self { suffix: suffix(account, region), place: Place::Network(Network { first, hosts, known }) }
    }

    /// The name of an instance, whether or not this machine knows it.
    pub(crate) fn name(&self, instance: &str) -> String {
        format!("{instance}.{}", self.suffix)
    }

    /// What DescribeDBInstances shows as an instance's address.
    pub(crate) fn host(&self, instance: &str) -> String {
        match &self.place {
            Place::Loopback(addresses) if addresses.is_empty() => Ipv4Addr::LOCALHOST.to_string(),
            _ => self.name(instance),
        }
    }

    /// The port that clients are told, of an instance whose own number among all is `number`.
    pub(crate) fn port(&self, number: u16) -> u16 {
        match &self.place {
            Place::Loopback(_) => number,
            Place::Network(_) => POSTGRESQL,
        }
    }

    /// Where an instance listens.
    pub(crate) fn listening(&self, number: u16) -> Listening {
        let addresses = match &self.place {
            Place::Loopback(addresses) if addresses.is_empty() => vec![Ipv4Addr::LOCALHOST.into()],
            Place::Loopback(addresses) => addresses.clone(),
            Place::Network(network) => vec![network.address(number).into()],
        };
        let from_this_machine = matches!(self.place, Place::Loopback(_));
        Listening { addresses, port: self.port(number), from_this_machine }
    }

    /// Writes down where a name leads, before anybody is told the name.
    ///
    /// # Errors
    /// When the hosts file cannot be written.
    pub(crate) fn announce(&self, instance: &Instance) -> std::io::Result<()> {
        let Place::Network(network) = &self.place else { return Ok(()) };
        let mut known = network.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(self.name(&instance.id), network.address(instance.port));
        let lines = known.iter().fold(String::new(), |mut lines, (name, address)| {
            let _ = writeln!(lines, "{address} {name}");
            lines
        });
        write_atomically(&network.hosts, lines.as_bytes())
    }
}

impl Network {
    fn address(&self, number: u16) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits() + u32::from(number))
    }
}

fn suffix(account: &str, region: &str) -> String {
    format!("c{account}.{region}.{DOMAIN}")
}

/// For people: `names in …`, or the address and why.
impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Loopback(addresses) if addresses.is_empty() => {
                write!(f, "{}, because getaddrinfo knows no names in {DOMAIN} here", Ipv4Addr::LOCALHOST)
            }
            _ => write!(f, "names in {}", self.suffix),
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

    fn on_loopback(addresses: &[IpAddr]) -> Listening {
        Listening { addresses: addresses.to_vec(), port: 20_001, from_this_machine: true }
    }

    #[test]
    fn names_that_lead_to_this_machine_are_shown_and_listened_on() {
        let endpoints = led_to(&[SIX, FOUR, FOUR]);
        assert_eq!(endpoints.host("orders-shop-1"), "orders-shop-1.c000000000000.eu-central-1.rds.localhost");
        assert_eq!(endpoints.listening(20_001), on_loopback(&[FOUR, SIX]));
        assert_eq!(endpoints.to_string(), "names in c000000000000.eu-central-1.rds.localhost");
    }

    #[test]
    fn names_that_lead_nowhere_or_elsewhere_are_not() {
        let elsewhere = IpAddr::from([192, 0, 2, 1]);
        for found in [&[][..], &[elsewhere], &[FOUR, elsewhere], &[SIX]] {
            let endpoints = led_to(found);
            assert_eq!(endpoints.host("orders"), "127.0.0.1", "{found:?}");
            assert_eq!(endpoints.listening(20_001), on_loopback(&[FOUR]), "{found:?}");
        }
    }

    #[test]
    fn in_a_network_of_their_own_each_has_an_address_and_the_usual_port() {
        let first = Ipv4Addr::new(198, 18, 0, 0);
        let endpoints = Endpoints::network(first, PathBuf::new(), "000000000000", "eu-central-1");
        let of = |address: [u8; 4]| Listening { addresses: vec![address.into()], port: 5432, from_this_machine: false };
        assert_eq!(endpoints.listening(20_000), of([198, 18, 78, 32]));
        assert_eq!(endpoints.listening(20_001), of([198, 18, 78, 33]));
        assert_eq!(endpoints.host("orders"), "orders.c000000000000.eu-central-1.rds.localhost");
    }
}
