//! Which steps it takes to make a server as declared: pure.

mod access;
mod databases;
mod roles;
mod users;

use std::collections::BTreeSet;

use shared::rules::{Desired, RoleFlags};

use self::databases::obstacle;
use super::catalog::{Catalog, Database, RoleState};
use super::naming::{KEEPER, owner_role};
use super::step::{Blocked, BlockedReason, SqlPlan, SqlStep};
use crate::engine::{Passwords, Question};

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
    planner.plan
}

/// Users and databases that nothing can be done with; each is said once.
struct Unavailable<'a> {
    users: BTreeSet<&'a str>,
    databases: BTreeSet<&'a str>,
}

struct Planner<'a> {
    question: Question<'a>,
    passwords: &'a Passwords,
    catalog: &'a Catalog,
    unavailable: Unavailable<'a>,
    plan: SqlPlan,
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

impl<'a> Planner<'a> {
    fn step(&mut self, step: SqlStep) {
        self.plan.steps.push(step);
    }

    fn blocked(&mut self, user: Option<&str>, database: Option<&str>, reason: BlockedReason) {
        self.plan.blocked.push(Blocked {
            user: user.map(str::to_owned),
            database: database.map(str::to_owned),
            reason,
        });
    }

    fn desired(&self) -> &'a Desired {
        self.question.desired
    }

    fn flags(&self, user: &str) -> Option<RoleFlags> {
        self.desired().users.iter().find(|(name, _)| name.as_str() == user).map(|(_, flags)| *flags)
    }

    fn pinned(&self) -> bool {
        self.catalog.major() >= 15
    }

    /// From 16 on CREATE ROLE makes its creator the administrator, and granting that again is an error.
    fn admin(&self) -> bool {
        self.catalog.major() < 16
    }
}

#[cfg(test)]
mod tests;
