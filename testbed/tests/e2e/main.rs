//! The end-to-end tests: real parts only. One process starts what the tests share, runs them and ends everything.

mod admission;
mod attack;
mod bindings;
mod birth;
mod changes;
mod chaos;
mod check;
mod classes;
mod clients;
mod cloud;
mod cloud_access;
mod columns;
mod controlplane;
mod copies;
mod crashes;
mod crds_alone;
mod direct;
mod farewell;
mod foreign;
mod gitops;
mod hostile;
mod inside;
mod isolation;
mod leadership;
mod limits;
mod managers;
mod manifests;
mod not_yet;
mod origins;
mod outside;
mod parameters;
mod people;
mod plan;
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
mod upgrades;
mod webhook_away;
mod windows;
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
    if let Some(code) = clients::run_as_client()? {
        return Ok(code);
    }
    let mut arguments = Arguments::from_args();
    // The tests wait more than they compute, some of them for their turn.
    arguments.test_threads = arguments.test_threads.or(Some(7));

    let world = Arc::new(World::new()?);
    let trials: Vec<Trial> = [
        // The longest of all.
        chaos::trials(&world),
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
        bindings::trials(&world),
        people::trials(&world),
        limits::trials(&world),
        managers::trials(&world),
        changes::trials(&world),
        farewell::trials(&world),
        origins::trials(&world),
        upgrades::trials(&world),
        outside::trials(&world),
        repairs::trials(&world),
        crashes::trials(&world),
        rest::trials(&world),
        refusals::trials(&world),
        webhook_away::trials(&world),
        windows::trials(&world),
        copies::trials(&world),
        plan::trials(&world),
        parameters::trials(&world),
        isolation::trials(&world),
        classes::trials(&world),
        foreign::trials(&world),
        not_yet::trials(&world),
        columns::trials(&world),
        cloud_access::trials(&world),
        secrecy::trials(&world),
        leadership::trials(&world),
        gitops::trials(&world),
        inside::trials(&world),
        clients::trials(&world),
        // These have the machine for themselves.
        attack::trials(&world),
        hostile::trials(&world),
    ]
    .into_iter()
    .flatten()
    .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    world.stop(conclusion.has_failed())?;
    Ok(conclusion.exit_code())
}
