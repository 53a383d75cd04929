//! The plan against a small world that answers like the real one: undisturbed, killed after every effect, and shown a stale or
//! missing view now and then. It ends in the same place, with the same passwords and one creation (I1, I4, I5, I11).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shared::api::{DeletionPolicy, RDSDatabaseStatus};

use super::super::plan;
use super::{RESOURCE, departure, empty_world, endpoint, final_name, instance, now, orders, pinned, version};
use crate::binding::{Binding, secret_data};
use crate::clock::Moment;
use crate::engine::Password;
use crate::observe::visit_inputs;
use crate::plan::ledger::Ledger;
use crate::plan::merge::Plan;
use crate::plan::step::{ClusterStep, ServicePlace, Step};
use crate::plan::world::{SecretFact, Seen, ServiceFact, SqlReport, SqlVisit, World};
use crate::providers::aws::state;
use crate::providers::{Marks, Request, Snapshot, SnapshotKind};
use crate::status;
use crate::subject::Subject;

/// What is counted, and what is out of the reconciler's reach: the cloud's own progress.
struct Simulation {
    /// The truth.
    world: World,
    now: Moment,
    creations: u32,
    deletions: u32,
    minted: u32,
    /// Users the server knows.
    told: BTreeSet<String>,
    released: bool,
    effects: usize,
}

/// Where a run is disturbed.
#[derive(Clone, Copy, Debug)]
enum Disturbance {
    None,
    /// The process dies after this many effects and forgets what it remembered.
    Kill(usize),
    /// The cloud and the Secrets cannot be seen in every so-manieth pass.
    Blind(usize),
}

impl Simulation {
    fn new() -> Self {
        let mut world = empty_world();
        world.object.finalizer = false;
        Self {
            world,
            now: now(),
            creations: 0,
            deletions: 0,
            minted: 0,
            told: BTreeSet::new(),
            released: false,
            effects: 0,
        }
    }

    /// The cloud moves on by itself, one state a pass.
    fn progress(&mut self) {
        self.now = self.now + Duration::from_secs(30);
        let Seen::Known(instance) = &mut self.world.instance else { return };
        let next = match instance.status.to_string().as_str() {
            "creating" => "backing-up",
            "backing-up" | "modifying" => "available",
            "deleting" => {
                self.world.instance = Seen::Absent;
                self.world.snapshots = Seen::Known(vec![Snapshot {
                    identifier: final_name(&self.world),
                    kind: SnapshotKind::Manual,
                    status: "available".into(),
                    created: None,
                    resource_id: Some(RESOURCE.into()),
                    marks: Marks::default(),
                }]);
                return;
            }
            _ => return,
        };
        instance.status = state(next);
        if next != "creating" {
            instance.endpoint = Some(endpoint());
        }
    }

    /// The truth as a pass sees it.
    fn seen(&self, blind: bool) -> World {
        let mut world = self.world.clone();
        world.visit_inputs = visit_inputs(&orders(), &world).map(Arc::new);
        if blind {
            world.instance = Seen::Unknown("throttled".into());
            for seen in world.secrets.values_mut() {
                *seen = Seen::Unknown("timeout".into());
            }
            world.visit_inputs = None;
        }
        world
    }

    /// One pass; dies after `lives` effects. Gives the number of effects.
    fn pass(&mut self, lives: usize, blind: bool) -> usize {
        let seen = self.seen(blind);
        let subject = match seen.object.deleting {
            true => Subject::Leaving(departure(DeletionPolicy::Snapshot)),
            false => Subject::Living(orders()),
        };
        let plan: Plan = plan(&subject, &seen, self.now);
        // The status is written before the steps are taken.
        let before = RDSDatabaseStatus::default();
        let status = status::of(&before, Some(1), &subject, &seen, &plan, Timestamp::UNIX_EPOCH);
        if seen.object.finalizer {
            self.world.pinned = status.instance;
        }
        let mut done = 0;
        for step in &plan.steps {
            if done == lives {
                return done;
            }
            self.apply(step);
            done += 1;
        }
        self.effects += done;
        done
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Cluster(step) => self.apply_cluster(step),
            Step::Cloud(Request::Create(_)) => {
                assert!(self.world.password("orders.rds.master").is_some(), "i4: created before its password was safe");
                assert!(self.world.instance.absent(), "i1: created beside another one");
                let mut created = instance("creating");
                created.endpoint = None;
                self.world.instance = Seen::Known(created);
                self.creations += 1;
            }
            Step::Cloud(Request::Delete(request)) => {
                assert!(request.final_snapshot.is_some(), "i3: deleted without a final snapshot");
                if let Seen::Known(instance) = &mut self.world.instance {
                    instance.status = state("deleting");
                }
                self.deletions += 1;
            }
            Step::Cloud(other) => unreachable!("nothing asks for {other:?} here"),
            Step::Inside(_, inputs) => {
                self.told.extend(["app".to_owned(), "report".to_owned()]);
                let (inputs, at) = (inputs.digest.clone(), self.now);
                self.world.visit = Some(SqlVisit { inputs, at, result: Ok(SqlReport::default()) });
            }
        }
    }

    fn apply_cluster(&mut self, step: &ClusterStep) {
        let ours = |external_name: &String, port: u16| {
            Seen::Known(ServiceFact::Ours {
                external_name: external_name.clone(),
                port: Some(port.into()),
                version: version("service"),
            })
        };
        match step {
            ClusterStep::AddFinalizer => self.world.object.finalizer = true,
            ClusterStep::RemoveFinalizer => self.released = true,
            ClusterStep::CreateSecret { secret, user, dialect } => {
                self.minted += 1;
                let password = Password::from(format!("minted-{}", self.minted));
                let data = secret_data(*dialect, Binding { user, ..Binding::default() }, &password);
                // The API server refuses a second one: whoever comes late looks again.
                self.world
                    .secrets
                    .entry(secret.clone())
                    .or_insert(Seen::Known(SecretFact::Ours { data, version: version(secret) }));
            }
            ClusterStep::UpdateSecret { secret, data, .. } => {
                self.world.secrets.insert(
                    secret.clone(),
                    Seen::Known(SecretFact::Ours { data: data.clone(), version: version(secret) }),
                );
            }
            ClusterStep::CreateService { place: ServicePlace::Own, external_name, port, .. } => {
                self.world.service = ours(external_name, *port);
            }
            ClusterStep::CreateService { place: ServicePlace::Alias, external_name, port, .. } => {
                self.world.alias = Some(ours(external_name, *port));
            }
            ClusterStep::DeleteService { place: ServicePlace::Own, .. } => self.world.service = Seen::Absent,
            ClusterStep::DeleteService { place: ServicePlace::Alias, .. } => self.world.alias = Some(Seen::Absent),
            other => unreachable!("nothing asks for {other:?} here"),
        }
    }

    fn forget(&mut self) {
        self.world.visit = None;
        self.world.ledger = Ledger::default();
    }

    /// Runs until nothing moves any more.
    fn run(&mut self, disturbance: Disturbance) {
        let mut still = 0;
        for pass in 1..200 {
            let lives = match disturbance {
                Disturbance::Kill(at) if self.effects < at => at - self.effects,
                _ => usize::MAX,
            };
            let blind = matches!(disturbance, Disturbance::Blind(every) if pass % every == 0);
            let before = format!("{:?}", self.world.instance);
            let done = self.pass(lives, blind);
            if done == lives {
                self.effects += done;
                self.forget();
            }
            if self.released {
                return;
            }
            self.progress();
            if done > 0 || before != format!("{:?}", self.world.instance) {
                still = 0;
            } else if !blind {
                still += 1;
            }
            if still == 3 {
                return;
            }
        }
        unreachable!("i7: it never comes to rest: {:?}", self.world);
    }

    fn end(&self) -> String {
        let mut world = self.world.clone();
        world.visit = None;
        // How many passwords were minted on the way may differ, what holds them may not.
        world.secrets.clear();
        format!("{world:?} {:?} {:?} {}", self.told, self.world.secrets.keys(), self.released)
    }

    fn passwords(&self) -> Vec<Option<Password>> {
        ["orders.rds.master", "orders.rds.app", "orders.rds.report"]
            .iter()
            .map(|secret| self.world.password(secret))
            .collect()
    }
}

fn disturbances() -> impl Iterator<Item = Disturbance> {
    (0..20).map(Disturbance::Kill).chain((2..5).map(Disturbance::Blind))
}

#[test]
fn i11_disturbed_anywhere_on_its_way_in_it_ends_where_it_would_have_ended() {
    let mut undisturbed = Simulation::new();
    undisturbed.run(Disturbance::None);
    assert!(undisturbed.passwords().iter().all(Option::is_some));
    assert!(undisturbed.service_stands(), "{:?}", undisturbed.world);
    for disturbance in disturbances() {
        let mut disturbed = Simulation::new();
        disturbed.run(disturbance);
        assert_eq!(disturbed.end(), undisturbed.end(), "{disturbance:?}");
        assert_eq!(disturbed.creations, 1, "i1: {disturbance:?}");
    }
}

#[test]
fn i11_disturbed_anywhere_on_its_way_out_it_ends_where_it_would_have_ended() {
    let settled = || {
        let mut simulation = Simulation::new();
        simulation.run(Disturbance::None);
        simulation.world.object.deleting = true;
        simulation.effects = 0;
        simulation
    };
    let mut undisturbed = settled();
    let passwords = undisturbed.passwords();
    undisturbed.run(Disturbance::None);
    assert!(undisturbed.released);
    for disturbance in disturbances() {
        let mut disturbed = settled();
        disturbed.run(disturbance);
        assert_eq!(disturbed.end(), undisturbed.end(), "{disturbance:?}");
        assert_eq!(disturbed.deletions, 1, "{disturbance:?}");
        assert_eq!(disturbed.passwords(), passwords, "i4: {disturbance:?}");
    }
}

#[test]
fn i11_a_creation_whose_answer_was_lost_is_not_made_twice() {
    let mut simulation = Simulation::new();
    // The process dies right after the call: the instance is there, the status does not know it yet.
    simulation.world.object.finalizer = true;
    simulation.world.pinned = Some(pinned(None));
    simulation.run(Disturbance::None);
    let made = simulation.creations;
    simulation.world.pinned = Some(pinned(None));
    simulation.forget();
    simulation.run(Disturbance::None);
    assert_eq!((made, simulation.creations), (1, 1));
    assert_eq!(
        simulation.world.pinned.as_ref().and_then(|pinned| pinned.resource_id.as_deref()),
        Some(super::RESOURCE)
    );
}

impl Simulation {
    fn service_stands(&self) -> bool {
        matches!(self.world.service, Seen::Known(ServiceFact::Ours { .. }))
    }
}
