//! An object's declared users and databases, the server they are on, and what the reconciler does between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reconciler::clock::SystemClock;
use reconciler::engine::postgres::{Catalog, PostgresEngine, PrivilegeReport, SqlPlan, SqlStep, Timeouts, plan_sql};
use reconciler::engine::{
    Engine as _, EngineError, Known, Login, Mark, Outcome, Password, Privileges as _, Question, Slice, work,
};
use reconciler::entropy::SystemEntropy;
use serde_json::{Value, json};
use shared::rules::{DatabaseName, DefaultVersions, Desired, RoleName, defaults, parse};
use sqlx::PgConnection;

use crate::server::{Server, execute};

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) engine: PostgresEngine,
    pub(crate) mark: Mark,
    pub(crate) passwords: BTreeMap<RoleName, Password>,
    /// What the status would have recorded.
    pub(crate) known: BTreeMap<DatabaseName, Known>,
}

impl World {
    pub(crate) async fn on(release: &str) -> Self {
        let server = Server::start(release).await;
        let engine = PostgresEngine::new(&server.ca_pem, Timeouts::default());
        Self { server, engine, mark: Mark::new("test/shop/orders"), passwords: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// A server without anything of a scenario before.
    pub(crate) async fn reset(&mut self) {
        self.server.reset().await;
        self.known.clear();
    }

    /// What `users` and `databases` of a spec ask for. Each user gets a password, as its Secret would have it.
    pub(crate) fn desired(&mut self, users: &Value, databases: &Value) -> Desired {
        let spec = defaults(&json!({"users": users, "databases": databases}), None, DefaultVersions::BUILT_IN);
        let desired = parse("orders", &spec).unwrap();
        for user in desired.users.keys() {
            self.passwords.entry(user.clone()).or_insert_with(|| Password::generate(&SystemEntropy));
        }
        desired
    }

    pub(crate) async fn catalog(&self, desired: &Desired) -> Catalog {
        let question = Question { desired, mark: &self.mark, known: &self.known };
        self.engine.look(&self.server.master(), question).await.unwrap()
    }

    pub(crate) async fn plan(&self, desired: &Desired) -> SqlPlan {
        let question = Question { desired, mark: &self.mark, known: &self.known };
        plan_sql(question, &self.passwords, &self.catalog(desired).await)
    }

    /// Carries out steps, and gives what came of each.
    pub(crate) async fn work(&self, steps: &[SqlStep]) -> Vec<Outcome> {
        let slice = Slice { steps, stopped: &[], clock: &SystemClock, budget: Duration::from_mins(5), fence: None };
        work(self.engine.session(&self.server.master()), slice).await
    }

    pub(crate) async fn apply(&self, step: &SqlStep) {
        match self.work(std::slice::from_ref(step)).await.as_slice() {
            [Outcome::Done] => {}
            other => panic!("{step}: {other:?}"),
        }
    }

    /// Makes the server as declared, and sees that nothing is left to do then.
    pub(crate) async fn converge(&self, desired: &Desired) -> SqlPlan {
        let plan = self.plan(desired).await;
        let mut rest = plan.clone();
        // What the first look could not see takes another.
        for _ in 0..3 {
            let outcomes = self.work(&rest.steps).await;
            assert_eq!(outcomes.len(), rest.steps.len());
            for (step, outcome) in rest.steps.iter().zip(&outcomes) {
                assert_eq!(*outcome, Outcome::Done, "{step}");
            }
            rest = self.plan(desired).await;
            if rest.steps.is_empty() {
                break;
            }
        }
        assert_eq!(rest.steps, [], "not at rest");
        assert_eq!(rest.blocked, plan.blocked);
        plan
    }

    /// What the status records after a look.
    pub(crate) async fn record(&mut self, desired: &Desired) {
        for (name, oid) in self.catalog(desired).await.oids {
            self.known.insert(name.parse().unwrap(), Known { oid: Some(oid), replaceable: false });
        }
    }

    pub(crate) fn login(&self, user: &str, database: &str) -> Login {
        self.server.login(user, &self.passwords[user], database)
    }

    pub(crate) async fn connect(&self, user: &str, database: &str) -> Result<PgConnection, String> {
        self.server.connect(&self.login(user, database)).await.map_err(sqlstate)
    }

    /// Runs statements as a user in a database, in a session of its own.
    pub(crate) async fn run(&self, user: &str, database: &str, statements: &str) {
        let mut session = self.connect(user, database).await.unwrap();
        if let Err(error) = execute(&mut session, statements).await {
            panic!("{user} in {database}: {statements}: {error}");
        }
    }

    /// The SQLSTATE with which statements of a user are refused.
    pub(crate) async fn refused(&self, user: &str, database: &str, statements: &str) -> String {
        let mut session = self.connect(user, database).await.unwrap();
        sqlstate(execute(&mut session, statements).await.unwrap_err())
    }

    /// The text a query gives the superuser.
    pub(crate) async fn ask(&self, database: &str, query: &'static str) -> Option<String> {
        let mut admin = self.server.admin(database).await;
        sqlx::query_scalar::<_, Option<String>>(query).fetch_optional(&mut admin).await.unwrap().flatten()
    }

    pub(crate) async fn check(&self, user: &str, database: &str) -> Result<PrivilegeReport, EngineError> {
        self.engine.check_login(&self.login(user, database)).await
    }

    pub(crate) async fn gather_statistics(&self, user: &str, database: &str) -> Result<(), EngineError> {
        self.engine.gather_statistics(&self.login(user, database)).await
    }

    /// What is wrong with the access of a user, as the status would tell.
    pub(crate) async fn faults(&self, user: &str, database: &str, desired: &Desired) -> Vec<String> {
        let mapped = desired.databases.iter().filter(|(_, users)| users.iter().any(|found| found.as_str() == user));
        let mapped = mapped.map(|(name, _)| name.clone()).collect();
        let ours = desired.databases.keys().cloned().collect();
        self.check(user, database).await.unwrap().faults(&mapped, &ours)
    }

    /// All of the server that the operator has to do with, as the superuser sees it.
    pub(crate) async fn state(&self) -> String {
        let mut state = self.ask("postgres", SHARED).await.unwrap_or_default();
        let names = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate";
        for database in self.ask("postgres", names).await.unwrap_or_default().split(' ') {
            let inside = self.ask(database, INSIDE).await.unwrap_or_default();
            state.extend(["\n== ", database, "\n", &inside]);
        }
        state
    }
}

/// Roles, memberships, databases and settings. A verifier is salted, so passwords are no part of it.
const SHARED: &str = "
SELECT string_agg(line, E'\n' ORDER BY line) FROM (
  SELECT format('role %s %s%s%s%s %s', rolname, rolcanlogin, rolcreatedb, rolcreaterole, rolinherit, shobj_description(oid, 'pg_authid')) AS line
  FROM pg_roles WHERE rolname !~ '^pg_'
  UNION ALL
  SELECT format('member %s %s %s by %s', roleid::regrole, member::regrole, to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor', grantor::regrole)
  FROM pg_auth_members m WHERE roleid >= 16384
  UNION ALL
  SELECT format('database %s %s %s %s %s %s', datname, datdba::regrole, datallowconn, datconnlimit, datistemplate,
    (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a))
  FROM pg_database
  UNION ALL
  SELECT format('setting %s %s %s', (SELECT datname FROM pg_database WHERE oid = setdatabase), setrole::regrole, setconfig)
  FROM pg_db_role_setting
) lines";

/// Owners and default privileges in a database.
const INSIDE: &str = "
SELECT string_agg(line, E'\n' ORDER BY line) FROM (
  SELECT format('schema %s %s %s', nspname, nspowner::regrole, nspacl) AS line FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
  UNION ALL
  SELECT format('relation %s %s', oid::regclass, relowner::regrole) FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S') AND oid >= 16384
  UNION ALL
  SELECT format('function %s %s', oid::regprocedure, proowner::regrole) FROM pg_proc WHERE oid >= 16384
  UNION ALL
  SELECT format('default %s %s %s', defaclrole::regrole, defaclobjtype, defaclacl) FROM pg_default_acl
) lines";

pub(crate) fn databases(names: &[&str]) -> BTreeSet<DatabaseName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

pub(crate) fn sqlstate(error: sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(answer) => answer.code().unwrap().into_owned(),
        error => panic!("not an answer of the server: {error}"),
    }
}
