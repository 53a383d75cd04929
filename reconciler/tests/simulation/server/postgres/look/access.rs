//! Who can work where, and what is whose.

use reconciler::engine::postgres::{DIALECT, MAINTENANCE_DATABASE, Maintenance, Pair, Possession};
use shared::rules::RoleFlags;

use super::{Look, is_person};

impl Look<'_> {
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let differs = |pair: &Pair, flags: RoleFlags| {
            let Some(kept) = self.kept.get(pair.database.as_str()) else { return true };
            let grant = self.server.granted(&kept.owner_name, &pair.user).filter(|_| kept.has_owner);
            let works =
                grant.is_some_and(|grant| grant.sets && (grant.inherits || !self.server.grants_name_grantors()));
            let acts_as = kept.database.acts_as.get(&pair.user).map(String::as_str);
            let connects = kept.database.rights.get(&pair.user).is_some_and(|rights| rights.connects);
            !self.is_ours(&pair.user)
                || !works
                || acts_as != (!flags.privileged()).then_some(kept.owner_name.as_str())
                || connects != flags.can_login()
        };
        self.wanted_pairs().filter(|(pair, flags)| differs(pair, *flags)).map(|(pair, _)| pair).collect()
    }

    pub(super) fn strays(&self) -> Vec<Pair> {
        let users: Vec<&str> = self.ours().map(|(name, _)| name).filter(|name| self.users.contains_key(name)).collect();
        let found = self.kept.iter().flat_map(|(database, kept)| {
            users.iter().filter_map(move |user| {
                let member = kept.has_owner && self.server.granted(&kept.owner_name, user).is_some();
                let acts = kept.database.acts_as.contains_key(*user);
                let stays = member || acts || kept.database.rights.contains_key(*user);
                let pair = Pair { user: (*user).to_owned(), database: (*database).to_owned() };
                (is_person(user) && stays && !self.is_mapped(user, database)).then_some(pair)
            })
        });
        found.collect()
    }

    /// Whether default privileges of a user name the owner role of a database.
    fn shares(&self, user: &str, database: &str) -> bool {
        let kept = self.kept.get(database).filter(|kept| kept.has_owner && self.is_ours(user));
        kept.and_then(|kept| kept.database.holdings.get(user)).is_some_and(|holding| holding.shares)
    }

    pub(super) fn unshared(&self) -> Vec<Pair> {
        let differs = |pair: &Pair| !self.shares(&pair.user, &pair.database);
        let pairs = self.wanted_pairs().filter(|(pair, flags)| flags.privileged() && differs(pair));
        pairs.map(|(pair, _)| pair).collect()
    }

    pub(super) fn overshared(&self) -> Vec<Pair> {
        let found = self.kept.keys().flat_map(|database| {
            let needs = |user: &str, flags: &RoleFlags| self.is_mapped(user, database) && flags.privileged();
            let users =
                self.users.iter().filter(move |(user, flags)| self.shares(user, database) && !needs(user, flags));
            users.map(|(user, _)| Pair { user: (*user).to_owned(), database: (*database).to_owned() })
        });
        found.collect()
    }

    pub(super) fn possessions(&self) -> Vec<Possession> {
        let found = self.kept.iter().filter(|(_, kept)| kept.has_owner).flat_map(|(database, kept)| {
            let holdings = kept.database.holdings.iter().filter(|(user, holding)| {
                let keeps = || self.users.get(user.as_str()).is_none_or(|flags| flags.inherit == Some(false));
                let wanted = self.users.contains_key(user.as_str()) && self.is_ours(user) && is_person(user);
                wanted && holding.objects + holding.extensions > 0 && (self.server.grants_name_grantors() || !keeps())
            });
            holdings.map(|(user, holding)| Possession {
                database: (*database).to_owned(),
                user: user.clone(),
                objects: holding.objects,
                extensions: holding.extensions,
            })
        });
        found.collect()
    }

    pub(super) fn maintenance(&self) -> Vec<Maintenance> {
        let Some((_, place)) = self.places().find(|(name, _)| *name == MAINTENANCE_DATABASE) else { return Vec::new() };
        let ways = self.question.desired.users.iter().map(|(user, flags)| {
            let mapped = self.question.desired.databases.values().any(|users| users.contains(user));
            Maintenance { user: user.as_str().to_owned(), enters: DIALECT.enters_maintenance(*flags, mapped) }
        });
        let connects = |user: &str| self.is_ours(user) && place.rights.get(user).is_some_and(|rights| rights.connects);
        ways.filter(|way| connects(&way.user) != way.enters).collect()
    }
}
