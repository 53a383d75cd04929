use super::{VERSIONS, World, password};
use crate::server::wanted::Wanted;

#[test]
fn i5_whatever_is_wanted_comes_to_rest_and_nobody_else_gets_in() {
    for (seed, version) in (0..60).flat_map(|seed| VERSIONS.map(|version| (seed, version))) {
        let (mut world, mut chance) = (World::on(version), Wanted::seeded(seed));
        for _ in 0..5 {
            let desired = chance.desired();
            assert_eq!(world.converge(&desired).blocked, [], "seed {seed} on {version}");
            for (database, users) in &desired.databases {
                for (user, flags) in &desired.users {
                    world.server.authenticate(user.as_str(), &password(user.as_str())).unwrap();
                    let came = world.server.admit(user.as_str(), database.as_str()).is_ok();
                    let may = users.contains(user) && flags.can_login();
                    assert_eq!(came, may, "seed {seed} on {version}: {user} in {database}");
                }
            }
            for role in ["app", "report", "chief", "maker"] {
                assert_eq!(
                    world.server.roles.contains_key(role),
                    desired.users.contains_key(role),
                    "seed {seed}: {role}"
                );
            }
        }
    }
}

#[test]
fn i7_whatever_people_do_the_operator_comes_to_rest() {
    for (seed, version) in (0..60).flat_map(|seed| VERSIONS.map(|version| (seed, version))) {
        let (mut world, mut chance) = (World::on(version), Wanted::seeded(seed));
        for change in 0..5 {
            let desired = chance.desired();
            let (mut plan, mut refused, mut looks) = (world.plan(&desired), Vec::new(), 0);
            // What cannot be done is asked for again, and no more.
            while plan.steps.len() > refused.len() {
                assert!(looks < 8, "seed {seed} on {version}: {:?} {refused:?}", plan.steps);
                refused = world.work(&plan);
                plan = world.plan(&desired);
                looks += 1;
            }
            for nth in 0..6 {
                let act = chance.act(&world.mark, change * 10 + nth);
                drop(world.act(&act));
            }
        }
    }
}
