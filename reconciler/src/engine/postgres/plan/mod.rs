//! Which steps it takes to make a server as declared: pure.

mod databases;
mod members;
mod planner;
mod roles;
mod users;

use self::databases::obstacle;
use self::planner::{Planner, Unavailable};
use super::catalog::{Catalog, Database, RoleState};
use super::naming::{KEEPER, owner_role};
use super::step::SqlPlan;
use crate::engine::port::{Change as _, Passwords, Question};

/// Decides what has to change on the server so that it is as declared.
///
/// `catalog` is the server's answer to `question`, `passwords` are those of the users' Secrets. The steps are in the order
/// they have to be done in, those that take something first; [`Change::needs`](crate::engine::Change::needs) tells which of them stop when one fails.
pub fn plan_sql(question: Question<'_>, passwords: &Passwords, catalog: &Catalog) -> SqlPlan {
    let unavailable = unavailable(question, passwords, catalog);
    let mut planner = Planner { question, passwords, catalog, unavailable, plan: SqlPlan::default() };
    planner.lock_users();
    planner.provide_roles();
    planner.take();
    planner.provide_users();
    planner.provide_databases();
    planner.share();
    planner.admit();
    planner.retire_removed_users();
    // Nobody enters a broken database, to take something there or to give it.
    let broken = |name: &str| {
        catalog.databases.iter().any(|database| database.broken && database.name == name)
            || catalog.removed_databases.iter().any(|database| database.broken && database.name == name)
    };
    planner.plan.steps.retain(|step| !step.enters().is_some_and(broken));
    planner.plan
}

fn unavailable<'a>(question: Question<'a>, passwords: &Passwords, catalog: &'a Catalog) -> Unavailable<'a> {
    let state = |role: &str| catalog.roles.get(role).copied().unwrap_or(RoleState::Ours);
    let lacks_password = |name: &str| !passwords.keys().any(|user| user.as_str() == name);
    let users = catalog.users.iter().filter(|user| match user.state {
        RoleState::Taken | RoleState::Unmanageable => true,
        RoleState::Missing => lacks_password(&user.name),
        RoleState::Ours => false,
    });
    let barred = |database: &Database| {
        obstacle(question, database).is_some()
            || [KEEPER, owner_role(&database.name).as_str()]
                .iter()
                .any(|role| matches!(state(role), RoleState::Taken | RoleState::Unmanageable))
    };
    let databases = catalog.databases.iter().filter(|database| barred(database));
    Unavailable {
        users: users.map(|user| user.name.as_str()).collect(),
        databases: databases.map(|database| database.name.as_str()).collect(),
    }
}

#[cfg(test)]
mod tests;
