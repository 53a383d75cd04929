//! Who may do what: memberships and rights on databases ("Database Roles" in PostgreSQL's manual).

use std::collections::BTreeSet;

use super::{DATABASE_OWNER, Database, PUBLIC, Postgres};

/// That a role is a member of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Membership {
    pub(crate) member: String,
    pub(crate) role: String,
    /// Empty up to PostgreSQL 15, where it makes no difference.
    pub(crate) grantor: String,
}

/// What comes with a membership. The last two are there from PostgreSQL 16 only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Grant {
    pub(crate) admin: bool,
    pub(crate) inherits: bool,
    pub(crate) sets: bool,
}

/// Rights on a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rights {
    pub(crate) connects: bool,
    pub(crate) creates: bool,
    pub(crate) temporary: bool,
}

impl Rights {
    pub(crate) const ALL: Self = Self { connects: true, creates: true, temporary: true };
    pub(crate) const CONNECT: Self = Self { connects: true, creates: false, temporary: false };
    pub(crate) const CREATE: Self = Self { connects: false, creates: true, temporary: true };

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            connects: self.connects || other.connects,
            creates: self.creates || other.creates,
            temporary: self.temporary || other.temporary,
        }
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self {
            connects: self.connects && !other.connects,
            creates: self.creates && !other.creates,
            temporary: self.temporary && !other.temporary,
        }
    }
}

/// How a membership is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Rights are had without a word.
    Inheriting,
    /// SET ROLE is let.
    Setting,
    /// Any.
    Membership,
}

impl Postgres {
    /// `pg_has_role(member, role, 'USAGE')`.
    pub(super) fn has_rights_of(&self, member: &str, role: &str) -> bool {
        self.is_superuser(member) || self.all_of(member, By::Inheriting).contains(role)
    }

    /// Whether a session of `member` can SET ROLE.
    pub(super) fn can_act_as(&self, member: &str, role: &str) -> bool {
        self.is_superuser(member) || self.all_of(member, By::Setting).contains(role)
    }

    /// Whether a role is another or has become a member of it, over others too.
    pub(super) fn is_member(&self, member: &str, role: &str) -> bool {
        self.all_of(member, By::Membership).contains(role)
    }

    /// The grants of one membership, whoever made them, as one.
    pub(super) fn granted(&self, role: &str, member: &str) -> Option<Grant> {
        let of_it = self.memberships.iter().filter(|(edge, _)| edge.member == member && edge.role == role);
        of_it.map(|(edge, grant)| self.effective(edge, *grant)).reduce(|one, other| Grant {
            admin: one.admin || other.admin,
            inherits: one.inherits || other.inherits,
            sets: one.sets || other.sets,
        })
    }

    /// Whether somebody may alter, drop and comment on a role: up to PostgreSQL 15 CREATEROLE is enough for all but superusers.
    pub(super) fn administers(&self, by: &str, role: &str) -> bool {
        let may = self.roles.get(by).is_some_and(|found| found.createrole);
        let protected = self.is_superuser(role);
        self.is_superuser(by)
            || (may && !protected && (!self.grants_name_grantors() || self.may_grant(by, role).is_some()))
    }

    /// In whose name somebody may grant a role: its own, or from PostgreSQL 16 on that of an administrator whose rights it has.
    pub(super) fn may_grant(&self, by: &str, role: &str) -> Option<String> {
        if self.is_superuser(by) {
            return Some(by.to_owned());
        }
        if !self.grants_name_grantors() {
            let createrole = self.roles.get(by).is_some_and(|found| found.createrole) && !self.is_superuser(role);
            let admin = self.granted(role, by).is_some_and(|grant| grant.admin);
            // Up to 14 everybody may make others members of themselves.
            let own = self.version < 150_000 && role == by;
            return (createrole || admin || own).then(|| by.to_owned());
        }
        let is_admin = |who: &&str| self.granted(role, who).is_some_and(|grant| grant.admin);
        let reached = self.all_of(by, By::Inheriting);
        [by].into_iter().chain(reached).find(is_admin).map(str::to_owned)
    }

    pub(super) fn is_superuser(&self, role: &str) -> bool {
        self.roles.get(role).is_some_and(|found| found.superuser)
    }

    /// Whether a role has rights on a database, as one of its grantees, their heir, or everybody.
    pub(super) fn may(&self, role: &str, database: &Database, right: impl Fn(&Rights) -> bool) -> bool {
        let reached = self.all_of(role, By::Inheriting);
        let mut granted = database.rights.iter().filter(|(_, rights)| right(rights));
        self.is_superuser(role) || granted.any(|(grantee, _)| grantee == PUBLIC || reached.contains(grantee.as_str()))
    }

    /// Whether a role has the rights of whoever owns the schema `public`.
    pub(super) fn owns_public(&self, role: &str, database: &Database) -> bool {
        database.public.as_ref().is_some_and(|public| {
            let owner = if public.owner == DATABASE_OWNER { &database.owner } else { &public.owner };
            self.has_rights_of(role, owner)
        })
    }

    fn effective(&self, edge: &Membership, grant: Grant) -> Grant {
        if self.grants_name_grantors() {
            return grant;
        }
        Grant { inherits: self.roles.get(&edge.member).is_some_and(|member| member.inherit), sets: true, ..grant }
    }

    /// The role itself, and what it is a member of.
    fn all_of<'a>(&'a self, member: &'a str, by: By) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::from([member]);
        let mut open = vec![member];
        while let Some(role) = open.pop() {
            for (edge, grant) in self.memberships.iter().filter(|(edge, _)| edge.member == role) {
                let grant = self.effective(edge, *grant);
                let follows = match by {
                    By::Inheriting => grant.inherits,
                    By::Setting => grant.sets,
                    By::Membership => true,
                };
                if follows && reached.insert(&edge.role) {
                    open.push(&edge.role);
                }
            }
        }
        reached
    }
}
