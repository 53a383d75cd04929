//! The operator on a real node, as it is shipped. Needs Linux and root; `./test.sh node` says so where they are missing.

mod cleanup;
mod documents;
mod leadership;
mod limits;
mod monitoring;
mod operator;
mod pod_network;
mod policies;
mod readme;
mod renewal;
mod replicas;
mod rollout;
mod upgrade;
mod world;

use std::{io::Write as _, process::ExitCode, sync::Arc};

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use testbed::{
    go_programs,
    node::{self, Node},
    stack::Programs,
};
use tokio::runtime::Runtime;

use crate::world::World;

/// What trials run beside the node.
const BESIDE: [&str; 2] = ["certmanager", "helm"];

fn main() -> Result<ExitCode> {
    testbed::init()?;
    let mut arguments = Arguments::from_args();
    // All of them are about the one node.
    arguments.test_threads = Some(1);
    // Plain `cargo test` needs no root, also when root calls it.
    if arguments.list || !(arguments.ignored || arguments.include_ignored) {
        return Ok(libtest_mimic::run(&arguments, trials(&Arc::new(World::new()?))).exit_code());
    }
    if !node::inside() {
        return Runtime::new()?.block_on(outside(&arguments));
    }
    let world = Arc::new(World::new()?);
    let conclusion = libtest_mimic::run(&arguments, trials(&world));
    world.stop(conclusion.has_failed())?;
    Ok(conclusion.exit_code())
}

/// The trial that needs to see the machine from outside of the node's namespaces.
const CLEANUP: &str = "node::cleanup::a_killed_node_leaves_nothing";

fn trials(world: &Arc<World>) -> Vec<Trial> {
    if let Some(staying) = cleanup::staying(world) {
        return vec![staying];
    }
    [
        operator::trials(world),
        rollout::trials(world),
        renewal::trials(world),
        leadership::trials(world),
        limits::trials(world),
        policies::trials(world),
        monitoring::trials(world),
        upgrade::trials(world),
        // It begins and ends without the operator.
        readme::trials(world),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whatever comes over the network is fetched before the node has one of its own.
async fn outside(arguments: &Arguments) -> Result<ExitCode> {
    node::require()?;
    node::ensure_programs().await?;
    Node::ensure_firewall().await?;
    monitoring::ensure_prometheus().await?;
    for folder in BESIDE {
        go_programs::build(folder).await?;
    }
    // Minutes of a compiler, which a filter may spare.
    let wanted = arguments.filter.as_ref().is_none_or(|filter| upgrade::NAME.contains(filter.as_str()));
    if wanted && let Some(why) = upgrade::released()?.ensure().await? {
        writeln!(std::io::stderr(), "{}: SKIPPED: {why}", upgrade::NAME)?;
    }
    Programs::build().await?.fetch_postgresql(node::POSTGRESQL).await?;
    let code = node::enter().await?;
    if code != ExitCode::SUCCESS || arguments.filter.as_ref().is_some_and(|filter| !CLEANUP.contains(filter.as_str())) {
        return Ok(code);
    }
    // It is about what is outside.
    let (mut stdout, outcome) = (std::io::stdout(), cleanup::a_killed_node_leaves_nothing().await);
    writeln!(stdout, "test {CLEANUP} ... {}", if outcome.is_ok() { "ok" } else { "FAILED" })?;
    outcome.map(|()| code)
}
