//! Roles of ours that are no users.

use shared::rules::DatabaseName;

use super::planner::Planner;
use crate::engine::postgres::catalog::RoleState;
use crate::engine::postgres::naming::{HEIR, KEEPER, owner_role};
use crate::engine::postgres::step::SqlStep;
use crate::engine::postgres::step::blocked::BlockedReason;

impl Planner<'_> {
    pub(super) fn provide_roles(&mut self) {
        let mut wanted = Vec::new();
        // What it keeps is out of sight while it is not known as ours, also where nothing else is wanted.
        let lost = self.catalog.roles.get(KEEPER).is_some_and(|state| *state != RoleState::Missing);
        let former = self.catalog.removed_databases.iter().any(|kept| kept.former);
        if !self.desired().databases.is_empty() || former || lost {
            wanted.push(KEEPER.to_owned());
        }
        if !self.catalog.removed_users.is_empty() || !self.catalog.given_away.is_empty() {
            wanted.push(HEIR.to_owned());
        }
        wanted.extend(self.desired().databases.keys().map(|name| owner_role(name.as_str())));
        for role in wanted {
            match self.catalog.roles.get(&role) {
                Some(RoleState::Missing) => {
                    let (mark, admin) = (self.question.mark.clone(), self.admin());
                    self.step(SqlStep::CreateRole { role, mark, admin });
                }
                Some(RoleState::Taken) => {
                    let mark = self.question.mark.clone();
                    self.blocked_role(&role, BlockedReason::RoleUnmarked { role: role.clone(), mark });
                }
                Some(RoleState::Unmanageable) => {
                    self.blocked_role(&role, BlockedReason::RoleUnmanageable { role: role.clone() });
                }
                Some(RoleState::Ours) | None => {}
            }
        }
        for role in &self.catalog.unjoined {
            self.join(role.clone());
        }
        for role in &self.catalog.awake {
            self.step(SqlStep::QuietRole { role: role.clone() });
        }
    }

    fn blocked_role(&mut self, role: &str, reason: BlockedReason) {
        let database = self.desired().databases.keys().find(|name| owner_role(name.as_str()) == role);
        self.blocked(None, database.map(DatabaseName::as_str), reason);
    }

    fn join(&mut self, role: String) {
        let (master, admin) = (self.catalog.master.clone(), self.admin());
        self.step(SqlStep::JoinMaster { role, master, admin });
    }
}
