//! What a user sees that logs in, as `privileges.sql` asks it.

use std::collections::BTreeSet;

use reconciler::engine::postgres::PrivilegeReport;

use super::{Database, Postgres};

impl Postgres {
    /// What a user sees that was let into a database.
    pub(crate) fn access(&self, user: &str, name: &str) -> PrivilegeReport {
        let database = &self.databases[name];
        // One that it may not act as any more is passed over without a word.
        let set = database.acts_as.get(user).filter(|role| self.can_act_as(user, role));
        let current = set.map_or(user, String::as_str);
        let creators = database.rights.iter().filter(|(_, rights)| rights.creates);
        let owners = creators.map(|(role, _)| role.as_str()).filter(|role| self.granted(role, user).is_some());
        let acting: BTreeSet<&str> = [user, current].into_iter().chain(owners).collect();
        let any = |test: &dyn Fn(&str) -> bool| acting.iter().any(|role| test(role));
        let closed = self.closed_tables(database, &acting);
        let examples =
            closed.iter().flat_map(|(owner, count)| (1..=*count).map(move |n| format!("public.{owner}_{n}")));
        let connectable = self
            .databases
            .iter()
            .filter(|(_, found)| found.admits && !found.template && self.may(user, found, |rights| rights.connects));
        PrivilegeReport {
            session_user: user.to_owned(),
            current_user: current.to_owned(),
            database: name.to_owned(),
            server_version: format!("{}.{}", self.version / 10_000, self.version % 10_000),
            tls: Some("TLSv1.3".to_owned()),
            may_create_in_public: database
                .public
                .as_ref()
                .map(|public| public.open || any(&|role| self.owns_public(role, database))),
            may_create_schemas: any(&|role| self.may(role, database, |rights| rights.creates)),
            may_create_temporary: any(&|role| self.may(role, database, |rights| rights.temporary)),
            closed_tables: closed.iter().map(|(_, count)| count).sum(),
            closed_table_examples: examples.take(5).collect(),
            connectable: connectable.map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Of whom there are how many tables that none of these can use.
    fn closed_tables<'a>(&self, database: &'a Database, acting: &BTreeSet<&str>) -> Vec<(&'a str, u64)> {
        let shared = acting.iter().any(|role| database.rights.get(*role).is_some_and(|rights| rights.creates));
        let theirs =
            database.holdings.iter().filter(|(owner, _)| !acting.iter().any(|role| self.has_rights_of(role, owner)));
        let closed =
            theirs.map(|(owner, holding)| (owner.as_str(), if shared { holding.closed } else { holding.objects }));
        closed.filter(|(_, count)| *count > 0).collect()
    }
}
