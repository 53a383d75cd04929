//! An object's declared users and databases, the server they are on, and what the reconciler does between them.

use std::collections::{BTreeMap, BTreeSet};

use reconciler::engine::postgres::{PostgresEngine, Timeouts};
use reconciler::engine::{
    AccessReport, Catalog, Engine as _, EngineError, Login, LoginSeen, Mark, Outcome, Password, PasswordState, SqlPlan,
    SqlStep, plan_sql,
};
use serde_json::{Value, json};
use shared::rules::{DatabaseName, Desired, RoleName, defaults, parse};
use sqlx::PgConnection;

use crate::server::{Server, execute};

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) engine: PostgresEngine,
    pub(crate) mark: Mark,
    pub(crate) passwords: BTreeMap<RoleName, PasswordState>,
}

impl World {
    pub(crate) async fn on(release: &str) -> Self {
        let server = Server::start(release).await;
        let engine = PostgresEngine::new(server.ca_pem.clone(), Timeouts::default());
        Self { server, engine, mark: Mark::new("test/shop/orders"), passwords: BTreeMap::new() }
    }

    /// What `users` and `databases` of a spec ask for. Each user gets a password, as its Secret would have it.
    pub(crate) fn desired(&mut self, users: &Value, databases: &Value) -> Desired {
        let spec = defaults(&json!({"users": users, "databases": databases}), None);
        let desired = parse("orders", &spec).unwrap();
        for user in desired.users.keys() {
            let state = || PasswordState { password: Password::generate(), seen: LoginSeen::Unknown };
            self.passwords.entry(user.clone()).or_insert_with(state);
        }
        desired
    }

    pub(crate) async fn catalog(&self) -> Catalog {
        self.engine.catalog(&self.server.master()).await.unwrap()
    }

    pub(crate) async fn plan(&self, desired: &Desired) -> SqlPlan {
        plan_sql(desired, &self.passwords, &self.catalog().await, &self.mark)
    }

    pub(crate) async fn apply(&self, step: &SqlStep) {
        if let Err(error) = self.engine.apply(&self.server.master(), step).await {
            panic!("{step}: {error}");
        }
    }

    /// Makes the server as declared, and sees that nothing is left to do then.
    pub(crate) async fn converge(&self, desired: &Desired) -> SqlPlan {
        let plan = self.plan(desired).await;
        let outcomes = self.engine.apply_all(&self.server.master(), &plan.steps).await;
        for (step, outcome) in plan.steps.iter().zip(&outcomes) {
            assert_eq!(*outcome, Outcome::Done, "{step}");
        }
        let rest = self.plan(desired).await;
        assert_eq!(rest.steps, [], "not at rest");
        assert_eq!(rest.blocked, plan.blocked);
        plan
    }

    pub(crate) fn login(&self, user: &str, database: &str) -> Login {
        self.server.login(user, &self.passwords[user].password, database)
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
        sqlx::query_scalar(query).fetch_optional(&mut admin).await.unwrap()
    }

    pub(crate) async fn check(&self, user: &str, database: &str) -> Result<AccessReport, EngineError> {
        self.engine.check_access(&self.login(user, database)).await
    }
}

pub(crate) fn databases(names: &[&str]) -> BTreeSet<DatabaseName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

pub(crate) fn sqlstate(error: sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(answer) => answer.code().unwrap().into_owned(),
        error => panic!("not an answer of the server: {error}"),
    }
}
