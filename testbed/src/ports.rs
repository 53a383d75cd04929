//! Free TCP ports on loopback, for servers that cannot be asked for one (`:0`) and told which they got.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};
use rand::RngExt as _;

/// Below the range that Linux hands out for outgoing connections (from 32768 on), so that none of those takes the port meanwhile.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// How many ports are tried before giving up: on a machine with a few thousand servers still enough.
const ATTEMPTS: usize = 200;

/// `N` different ports that nobody listens on now. They are picked at random, so that two test beds that start at once rarely meet.
///
/// # Errors
/// When no free ports are found.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    let mut rng = rand::rng();
    let mut held = Vec::with_capacity(N);
    for _ in 0..ATTEMPTS {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, rng.random_range(RANGE))) {
            held.push(listener);
        }
        if held.len() == N {
            break;
        }
    }
    // All listeners are held until the last port is found: the same port is never given twice.
    let ports: Vec<u16> =
        held.iter().map(|listener| listener.local_addr().map(|address| address.port())).collect::<Result<_, _>>()?;
    let Ok(ports) = <[u16; N]>::try_from(ports) else { bail!("no {N} free ports in {RANGE:?} on 127.0.0.1") };
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_differ_and_can_be_bound() {
        let ports = free::<20>().unwrap();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 20);
        for port in ports {
            assert!(RANGE.contains(&port));
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}
