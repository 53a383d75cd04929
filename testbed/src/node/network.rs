//! The addresses of a node: all of them are in its own network namespace, so they can be the same each time.

use std::{fs, net::Ipv4Addr};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::controlplane::NodeNetwork;

/// The node, and the API server on it.
pub const NODE: NodeNetwork = NodeNetwork {
    name: "node",
    address: Ipv4Addr::new(10, 222, 0, 1),
    port: 6443,
    pods: "10.222.16.0/20",
    services: "10.96.0.0/16",
    first_service: Ipv4Addr::new(10, 96, 0, 1),
};

/// The part of the Pods' range that the controller manager gives the first node.
pub(super) const PODS_OF_NODE: &str = "10.222.16.0/24";

/// The local RDS: its API has an address of its own, at the port that AWS has.
pub(super) const RDS: Ipv4Addr = Ipv4Addr::new(10, 222, 0, 2);

/// The first address of the range of its instances, and the range.
pub(super) const INSTANCES: Ipv4Addr = Ipv4Addr::new(10, 223, 0, 0);
const INSTANCES_RANGE: &str = "10.223.0.0/16";

/// Where Pods find the DNS server.
pub const DNS: Ipv4Addr = Ipv4Addr::new(10, 222, 0, 53);

/// The interface that has the node's addresses: a bridge without ports, which every kernel with Pods has.
pub const INTERFACE: &str = "node0";

/// Gives the namespace its addresses.
pub(super) async fn prepare() -> Result<()> {
    ip("link set lo up").await?;
    ip(&format!("link add {INTERFACE} type bridge")).await?;
    for address in [NODE.address, RDS, DNS] {
        ip(&format!("addr add {address}/24 dev {INTERFACE}")).await?;
    }
    ip(&format!("link set {INTERFACE} up")).await?;
    // All of the range is this machine's, without a line for each address.
    ip(&format!("route add local {INSTANCES_RANGE} dev lo")).await?;
    // Some programs ask which interface leads to the world.
    ip(&format!("route add default dev {INTERFACE}")).await?;
    for (name, value) in [("ip_forward", "1"), ("conf/all/rp_filter", "0")] {
        fs::write(format!("/proc/sys/net/ipv4/{name}"), value).with_context(|| format!("setting {name}"))?;
    }
    Ok(())
}

async fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output().await.context("running ip")?;
    ensure!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
