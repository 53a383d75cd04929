//! What a plan is made from, and what it holds so far.

use std::collections::BTreeSet;

use shared::rules::{Desired, RoleFlags};

use crate::engine::port::{Passwords, Question};
use crate::engine::postgres::catalog::Catalog;
use crate::engine::postgres::step::blocked::{Blocked, BlockedReason};
use crate::engine::postgres::step::{SqlPlan, SqlStep};

/// Users and databases that nothing can be done with; each is said once.
pub(super) struct Unavailable<'a> {
    pub(super) users: BTreeSet<&'a str>,
    pub(super) databases: BTreeSet<&'a str>,
}

pub(super) struct Planner<'a> {
    pub(super) question: Question<'a>,
    pub(super) passwords: &'a Passwords,
    pub(super) catalog: &'a Catalog,
    pub(super) unavailable: Unavailable<'a>,
    pub(super) plan: SqlPlan,
}

impl<'a> Planner<'a> {
    pub(super) fn step(&mut self, step: SqlStep) {
        self.plan.steps.push(step);
    }

    pub(super) fn blocked(&mut self, user: Option<&str>, database: Option<&str>, reason: BlockedReason) {
        self.plan.blocked.push(Blocked {
            user: user.map(str::to_owned),
            database: database.map(str::to_owned),
            reason,
        });
    }

    pub(super) fn desired(&self) -> &'a Desired {
        self.question.desired
    }

    pub(super) fn flags(&self, user: &str) -> Option<RoleFlags> {
        self.desired().users.iter().find(|(name, _)| name.as_str() == user).map(|(_, flags)| *flags)
    }

    pub(super) fn pinned(&self) -> bool {
        self.catalog.major() >= 15
    }

    /// From 16 on CREATE ROLE makes its creator the administrator, and granting that again is an error.
    pub(super) fn admin(&self) -> bool {
        self.catalog.major() < 16
    }
}
