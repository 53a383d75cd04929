//! The simulated servers by themselves.

mod people;
mod port;
mod rest;

use std::collections::BTreeMap;

use reconciler::engine::postgres::{SqlPlan, plan_sql, script};
use reconciler::engine::{Known, Login, Mark, Password, Passwords, Question};
use shared::rules::{DatabaseName, Desired};

use super::postgres::{Act, Event, Postgres, Refusal, Sitting};

/// The versions between which a server's rules differ.
const VERSIONS: [u32; 3] = [120_022, 150_019, 160_015];

/// A server, and what an object has on it.
struct World {
    server: Postgres,
    mark: Mark,
    passwords: Passwords,
    known: BTreeMap<DatabaseName, Known>,
    told: Vec<Event>,
}

impl World {
    fn on(version: u32) -> Self {
        let server = Postgres::new(version, "sysadmin", &password("sysadmin"));
        let (passwords, known) = (Passwords::new(), BTreeMap::new());
        Self { server, mark: Mark::new("test/shop/orders"), passwords, known, told: Vec::new() }
    }

    fn plan(&mut self, desired: &Desired) -> SqlPlan {
        for user in desired.users.keys() {
            self.passwords.entry(user.clone()).or_insert_with(|| password(user.as_str()));
        }
        let question = Question { desired, mark: &self.mark, known: &self.known };
        plan_sql(question, &self.passwords, &self.server.look(question))
    }

    fn work(&mut self, plan: &SqlPlan) -> Vec<(String, Refusal)> {
        let mut sitting = Sitting::of(&master());
        let mut refused = Vec::new();
        for step in &plan.steps {
            for (part, batch) in script(step, |_| String::new()).iter().enumerate() {
                if let Err(refusal) = sitting.run(&mut self.server, (step, part), batch, &mut self.told) {
                    refused.push((step.to_string(), refusal));
                    break;
                }
            }
        }
        refused
    }

    /// Looks and works until there is nothing to do, and gives what still cannot be done.
    fn converge(&mut self, desired: &Desired) -> SqlPlan {
        let mut refused = Vec::new();
        for _ in 0..6 {
            let plan = self.plan(desired);
            if plan.steps.is_empty() {
                return plan;
            }
            refused = self.work(&plan);
        }
        panic!("not at rest: {:?} {refused:?} {:#?}", self.plan(desired).steps, self.server);
    }

    fn act(&mut self, act: &Act) -> Result<(), Refusal> {
        act.play(&mut self.server, &mut self.told)
    }

    fn sqlstate(&mut self, act: &Act) -> &'static str {
        self.act(act).map_or_else(|refusal| refusal.sqlstate, |()| "00000")
    }
}

fn password(user: &str) -> Password {
    Password::from(format!("{user}-password"))
}

fn master() -> Login {
    Login {
        host: "db.example".to_owned(),
        port: 5432,
        user: "sysadmin".to_owned(),
        password: password("sysadmin"),
        database: "postgres".to_owned(),
        version: None,
    }
}
