//! The model of a server that the simulation uses is held to the real one: the same is wanted and done on both, and each look at them
//! must find the same.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::time::Duration;

use reconciler::engine::postgres::{Catalog, SqlPlan, plan_sql, refusal, script};
use reconciler::engine::{EngineError, Known, Outcome, Question};
use serde_json::json;
use shared::rules::{DatabaseName, Desired};

use crate::postgres::{Act, Postgres, Sitting};
use crate::server::{MASTER, execute};
use crate::wanted::{USERS, Wanted};
use crate::world::{World, sqlstate};

/// `SEED=7` plays that one only.
fn seeds() -> Vec<u64> {
    let one = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    one.map_or_else(|| (0..4).collect(), |seed| vec![seed])
}

pub(crate) async fn the_model_answers_as_the_server(world: &mut World) {
    for seed in seeds() {
        reset(world).await;
        let mut twins = Twins::of(world).await;
        let mut chance = Wanted::seeded(seed);
        let mut done = vec![format!("seed {seed}")];
        for change in 0..5 {
            let desired = chance.desired();
            done.push(format!("wanted: {:?} {:?}", desired.users, desired.databases));
            twins.converge(&desired, &mut done).await;
            for attempt in 0..6 {
                let act = chance.act(&twins.world.mark, seed * 100 + change * 10 + attempt);
                done.push(act.to_string());
                twins.act(&act, &done).await;
            }
        }
    }
}

/// What a reset leaves of acts: it keeps the master and the server's own roles, and no template is dropped.
async fn reset(world: &mut World) {
    let mut admin = world.server.admin("postgres").await;
    for database in ["shop", "other", "old", "den"] {
        let _ = execute(&mut admin, &format!("ALTER DATABASE {database} IS_TEMPLATE false")).await;
    }
    for role in [MASTER, "rds_superuser"] {
        execute(&mut admin, &format!("COMMENT ON ROLE {role} IS NULL")).await.unwrap();
    }
    world.reset().await;
}

/// A server and its model.
struct Twins<'a> {
    world: &'a mut World,
    model: Postgres,
    /// What the status would have recorded of the model.
    known: BTreeMap<DatabaseName, Known>,
}

impl<'a> Twins<'a> {
    async fn of(world: &'a mut World) -> Self {
        let everybody: serde_json::Map<_, _> = USERS.iter().map(|user| ((*user).to_owned(), json!([]))).collect();
        let desired = world.desired(&everybody.into(), &json!({}));
        let version = world.catalog(&desired).await.version;
        let model = Postgres::new(version, MASTER, &world.server.master().password);
        Self { world, model, known: BTreeMap::new() }
    }

    /// Looks at both, and works on both, until there is nothing to do that was not done before.
    async fn converge(&mut self, desired: &Desired, done: &mut Vec<String>) {
        let mut before = Vec::new();
        for _ in 0..6 {
            let plan = self.look(desired, done).await;
            if plan.steps == before {
                return;
            }
            done.extend(plan.steps.iter().map(|step| format!("  {step}")));
            self.work(&plan, done).await;
            before = plan.steps;
        }
    }

    async fn look(&mut self, desired: &Desired, done: &[String]) -> SqlPlan {
        let real = self.world.catalog(desired).await;
        let asked = Question { desired, mark: &self.world.mark, known: &self.known };
        let modelled = self.model.look(asked);
        assert_eq!(plain(&modelled), plain(&real), "{done:#?}\n{:#?}", self.model);
        let plan = plan_sql(asked, &self.world.passwords, &modelled);
        for (known, catalog) in [(&mut self.known, modelled), (&mut self.world.known, real)] {
            let recorded = catalog.oids.into_iter().map(|(name, oid)| (name.parse().unwrap(), oid));
            known.extend(recorded.map(|(name, oid)| (name, Known { oid: Some(oid), replaceable: false })));
        }
        plan
    }

    async fn work(&mut self, plan: &SqlPlan, done: &[String]) {
        let outcomes = self.world.work(&plan.steps).await;
        let master = self.world.server.master();
        let mut sitting = Sitting::of(&master);
        for (step, outcome) in plan.steps.iter().zip(&outcomes) {
            if *outcome == Outcome::Skipped {
                continue;
            }
            let mut batches = script(step, |_| String::new());
            let batches = batches.drain(..).enumerate();
            let modelled =
                batches.map(|(part, batch)| sitting.run(&mut self.model, (step, part), &batch, &mut Vec::new()));
            let modelled = modelled.collect::<Result<(), _>>();
            let modelled = modelled.map_err(|no| refusal(&master, Duration::ZERO, no.sqlstate, &no.message));
            let kind = |error: Option<&EngineError>| error.map(discriminant);
            let same = kind(modelled.as_ref().err()) == kind(outcome.failure());
            assert!(same, "{step}: {outcome:?}, and in the model {modelled:?}: {done:#?}\n{:#?}", self.model);
        }
    }

    async fn act(&mut self, act: &Act, done: &[String]) {
        let user = act.user(MASTER);
        let Some(sql) = act.sql() else { return };
        let session = match user == MASTER {
            true => self.world.server.connect(&self.world.server.master()).await.map_err(sqlstate),
            false => self.world.connect(user, &act.database).await,
        };
        let real = match session {
            Ok(mut session) => {
                execute(&mut session, "SET ROLE NONE").await.unwrap();
                let outcome = execute(&mut session, &sql).await;
                sqlx::Connection::close(session).await.unwrap();
                outcome.err().map(sqlstate)
            }
            Err(refused) => Some(refused),
        };
        let modelled = act.play(&mut self.model, &mut Vec::new()).err();
        let says = modelled.as_ref().map(|refusal| refusal.sqlstate);
        assert_eq!(says, real.as_deref(), "{modelled:?}: {done:#?}\n{:#?}", self.model);
    }
}

/// Without the numbers that a server gives, and with the lists in order that have none.
fn plain(catalog: &Catalog) -> Catalog {
    let mut plain = catalog.clone();
    plain.oids.values_mut().for_each(|oid| *oid = 0);
    plain.databases.iter_mut().for_each(|database| database.oid = database.oid.map(|_| 0));
    plain.users.sort_by(|one, other| one.name.cmp(&other.name));
    plain.unjoined.sort();
    plain.awake.sort();
    plain
}
