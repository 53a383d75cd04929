//! The addresses of Services and Pods. They lie in 127.0.0.0/8: all of it is this machine, so a server that listens on a Service's address
//! is reached through the Service, and Pods have the ports of their manifests without meeting each other.

use std::{
    fmt,
    net::{Ipv4Addr, TcpListener},
};

use anyhow::{Result, bail};
use rand::RngExt as _;

/// Listened on at the last address of a range while it is in use: the claim that other test beds see.
const CLAIM_PORT: u16 = 10_127;

/// How many ranges are tried before giving up.
const ATTEMPTS: usize = 100;

/// A `/24` out of 127.64.0.0–127.254.255.255, claimed for as long as this value lives.
#[derive(Debug)]
pub struct LoopbackRange {
    second: u8,
    third: u8,
    _claim: TcpListener,
}

impl LoopbackRange {
    /// Claims a range that no other part of this test bed, and no other test bed, uses.
    ///
    /// # Errors
    /// When none is free: in practice, when this is not Linux, which alone answers on all of 127.0.0.0/8.
    pub fn claim() -> Result<Self> {
        let mut rng = rand::rng();
        for _ in 0..ATTEMPTS {
            let (second, third) = (rng.random_range(64..=254), rng.random());
            if let Ok(claim) = TcpListener::bind((Ipv4Addr::new(127, second, third, 255), CLAIM_PORT)) {
                return Ok(Self { second, third, _claim: claim });
            }
        }
        bail!("no free range of addresses from 127.64.0.0 on: does this machine answer on all of 127.0.0.0/8?")
    }

    /// The address with this last number.
    pub fn address(&self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.second, self.third, last)
    }
}

impl fmt::Display for LoopbackRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "127.{}.{}.0/24", self.second, self.third)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_range_is_not_given_twice() {
        let range = LoopbackRange::claim().unwrap();
        let last = range.address(255);
        assert!(TcpListener::bind((last, CLAIM_PORT)).is_err());
        drop(range);
        assert!(TcpListener::bind((last, CLAIM_PORT)).is_ok());
    }
}
