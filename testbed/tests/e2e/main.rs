//! The end-to-end tests: real parts only. One process starts what the tests share, runs them and ends everything.

mod admission;
mod birth;
mod changes;
mod check;
mod cloud;
mod cloud_access;
mod controlplane;
mod crashes;
mod crds_alone;
mod direct;
mod farewell;
mod foreign;
mod gitops;
mod isolation;
mod leadership;
mod load;
mod manifests;
mod not_yet;
mod people;
mod protection;
mod refusals;
mod repairs;
mod replica;
mod rest;
mod rollout;
mod scene;
mod schema;
mod secrecy;
mod shed;
mod stack;
mod tls;
mod webhook_away;
mod world;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};

use crate::world::World;

fn main() -> Result<ExitCode> {
    testbed::init()?;
    if let Some(code) = controlplane::run_as_parent()? {
        return Ok(code);
    }
    let mut arguments = Arguments::from_args();
    // The tests wait more than they compute, some of them for their turn.
    arguments.test_threads = arguments.test_threads.or(Some(11));

    let world = Arc::new(World::new()?);
    let trials: Vec<Trial> = [
        // These take turns: the sooner they begin, the sooner all is over.
        tls::trials(&world),
        rollout::trials(&world),
        shed::trials(&world),
        controlplane::trials(&world),
        manifests::trials(&world),
        schema::trials(&world),
        check::trials(&world),
        protection::trials(&world),
        stack::trials(&world),
        birth::trials(&world),
        people::trials(&world),
        changes::trials(&world),
        farewell::trials(&world),
        repairs::trials(&world),
        crashes::trials(&world),
        rest::trials(&world),
        refusals::trials(&world),
        webhook_away::trials(&world),
        isolation::trials(&world),
        foreign::trials(&world),
        not_yet::trials(&world),
        cloud_access::trials(&world),
        secrecy::trials(&world),
        leadership::trials(&world),
        gitops::trials(&world),
    ]
    .into_iter()
    .flatten()
    .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    world.stop(conclusion.has_failed())?;
    Ok(conclusion.exit_code())
}
