//! The statements of each step.

mod template;

use std::collections::BTreeMap;

use self::template::fill;
use super::quote::{array, ident, literal};
use super::step::SqlStep;
use super::step::blocked::Attribute;
use crate::engine::mark::Mark;
use crate::engine::password::Password;
use crate::engine::postgres::naming::{HEIR, KEEPER, comment};

const LOCK_RIGHTS: &str = include_str!("lock_rights.sql");
const LOCK_ROLE: &str = include_str!("lock_role.sql");
const TAKE_DATABASES: &str = include_str!("take_databases.sql");
const LAY_OUT: &str = include_str!("lay_out.sql");
const TAKE_OVER: &str = include_str!("take_over.sql");
const ADOPT_PINNED: &str = include_str!("adopt_pinned.sql");
const HAND_OVER: &str = include_str!("hand_over.sql");
const REASSIGN: &str = include_str!("reassign.sql");
const RELEASE: &str = include_str!("release.sql");

/// One thing that happens on the server at once or not at all, or, where it says so itself, object by object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The database it runs in; `None` is the maintenance database.
    pub database: Option<String>,
    /// What is done.
    pub work: Work,
    /// What the server may answer when this was done before.
    pub done_if: DoneIf,
}

/// What a [`Batch`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Statements in one transaction.
    Sql(String),
    /// The same; sessions of users of this object that hold it up are ended. A user must not be able to keep what is taken from it.
    Insist(String),
    /// Ends the sessions of a user, in one database or in all, and waits until they are gone.
    EndSessions {
        /// The user.
        user: String,
        /// The database; `None` is all of them.
        database: Option<String>,
    },
}

/// Which refusal means that the work was done before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoneIf {
    /// None: the statements themselves can be repeated.
    Never,
    /// The role is there and carries the mark.
    RoleIsThere {
        /// The role.
        role: String,
        /// Its comment.
        mark: Mark,
    },
    /// The database is there and belongs to the keeper.
    DatabaseIsThere {
        /// The database.
        database: String,
    },
    /// The role or the database that something was to be taken from is gone.
    SubjectIsGone,
}

/// The statements of a step, in order. `verifier` makes of a password what may be sent to the server.
pub fn script(step: &SqlStep, verifier: impl Fn(&Password) -> String) -> Vec<Batch> {
    match step {
        SqlStep::LockUser { user, removed } => {
            let role = match removed {
                true => fill(LOCK_ROLE, &[("user", user)]),
                false => format!("ALTER ROLE {} NOLOGIN", ident(user)),
            };
            // Ended before, or the user itself could hold the row for ever; and after, because until then it could come back.
            vec![
                insist(fill(LOCK_RIGHTS, &[("user", user)])),
                end_sessions(user, None),
                insist(role).gone_is_done(),
                end_sessions(user, None),
            ]
        }
        SqlStep::TakeDatabases { user } => take_databases(user, ""),
        SqlStep::TakeGivenAway { database, owner } => take_databases(owner, database),
        SqlStep::CreateRole { role, mark, admin } => vec![create_role(role, " NOLOGIN", mark, *admin)],
        SqlStep::QuietRole { role } => {
            vec![sql(format!("ALTER ROLE {} NOLOGIN NOCREATEDB NOCREATEROLE", ident(role)))]
        }
        SqlStep::JoinMaster { role, master, admin } => {
            vec![sql(format!("GRANT {} TO {}{}", ident(role), ident(master), admin_option(*admin)))]
        }
        SqlStep::Secure { database, shut, template, locks } => vec![insist(secure(database, *shut, *template, locks))],
        SqlStep::TakeOver { database, owner, pinned } => take_over(database, owner, *pinned),
        SqlStep::CloseDatabase { database } => {
            vec![sql(format!("REVOKE ALL ON DATABASE {} FROM PUBLIC", ident(database)))]
        }
        SqlStep::Expel { user, database, owner } => expel(user, database, owner),
        SqlStep::RevokeMember { role, user } => {
            vec![sql(format!("REVOKE {} FROM {} CASCADE", ident(role), ident(user))).gone_is_done()]
        }
        SqlStep::OpenMaintenance { database, user } => {
            vec![sql(format!("GRANT CONNECT ON DATABASE {} TO {}", ident(database), ident(user)))]
        }
        SqlStep::LeaveMaintenance { database, user } => {
            let revoke = sql(format!("REVOKE ALL ON DATABASE {} FROM {} CASCADE", ident(database), ident(user)));
            vec![revoke.gone_is_done(), end_sessions(user, Some(database))]
        }
        SqlStep::CreateUser { user, attributes, password, mark, admin } => {
            let password = literal(&verifier(password));
            vec![create_role(user, &format!("{} PASSWORD {password}", clauses(attributes)), mark, *admin)]
        }
        SqlStep::AlterUser { user, attributes } => {
            vec![sql(format!("ALTER ROLE {}{}", ident(user), clauses(attributes)))]
        }
        SqlStep::SetPassword { user, password } => {
            // A password that has expired is refused like a wrong one, and would be set again and again.
            let password = literal(&verifier(password));
            vec![sql(format!("ALTER ROLE {} PASSWORD {password} VALID UNTIL 'infinity'", ident(user)))]
        }
        SqlStep::Grant { role, user } => vec![sql(format!("GRANT {} TO {}", ident(role), ident(user)))],
        SqlStep::Revoke { role, user } => {
            vec![sql(format!("REVOKE {} FROM {}", ident(role), ident(user))).gone_is_done()]
        }
        SqlStep::CreateDatabase { database, template } => create_database(database, template),
        SqlStep::LayOut { database, owner } => {
            vec![sql(fill(LAY_OUT, &[("database", database), ("owner", owner)])).inside(database)]
        }
        SqlStep::HandOver { database, owner, users, extensions, .. } => {
            let mut batches = vec![hand_over(users, owner).inside(database)];
            let reassign = |user: &String| sql(fill(REASSIGN, &[("user", user), ("owner", owner)])).inside(database);
            batches.extend(extensions.iter().map(reassign));
            batches
        }
        SqlStep::Share { user, database, owner, large_objects } => {
            vec![default_privileges(user, "GRANT", "TO", owner, *large_objects).inside(database)]
        }
        SqlStep::Unshare { user, database, owner, large_objects } => {
            vec![default_privileges(user, "REVOKE", "FROM", owner, *large_objects).inside(database)]
        }
        SqlStep::Admit { user, database, owner, acts_as_owner, inherits, connects } => {
            vec![admit(user, database, owner, *acts_as_owner, *inherits, *connects)]
        }
        SqlStep::Release { user, database, heir } => {
            let release = sql(fill(RELEASE, &[("user", user), ("heir", heir)]));
            let users = std::slice::from_ref(user);
            vec![hand_over(users, heir).inside(database), release.inside(database).gone_is_done()]
        }
        SqlStep::DropUser { user } => vec![sql(format!("DROP ROLE IF EXISTS {}", ident(user)))],
    }
}

impl Batch {
    fn inside(self, database: &str) -> Self {
        Self { database: Some(database.to_owned()), ..self }
    }

    fn gone_is_done(self) -> Self {
        Self { done_if: DoneIf::SubjectIsGone, ..self }
    }
}

fn batch(work: Work) -> Batch {
    Batch { database: None, work, done_if: DoneIf::Never }
}

fn sql(statements: String) -> Batch {
    batch(Work::Sql(statements))
}

fn insist(statements: String) -> Batch {
    batch(Work::Insist(statements))
}

fn end_sessions(user: &str, database: Option<&str>) -> Batch {
    batch(Work::EndSessions { user: user.to_owned(), database: database.map(str::to_owned) })
}

fn admin_option(admin: bool) -> &'static str {
    if admin { " WITH ADMIN OPTION" } else { "" }
}

/// The comment comes in the same transaction: a role of ours without its mark would be taken for somebody else's for ever.
fn create_role(role: &str, options: &str, mark: &Mark, admin: bool) -> Batch {
    let name = ident(role);
    Batch {
        done_if: DoneIf::RoleIsThere { role: role.to_owned(), mark: mark.clone() },
        ..sql(format!(
            "CREATE ROLE {name}{options}; COMMENT ON ROLE {name} IS {}; GRANT {name} TO CURRENT_USER{}",
            literal(&comment(mark)),
            admin_option(admin)
        ))
    }
}

fn clauses(attributes: &BTreeMap<Attribute, bool>) -> String {
    let clause = |(attribute, on): (&Attribute, &bool)| format!(" {}{attribute}", if *on { "" } else { "NO" });
    attributes.iter().map(clause).collect::<Vec<_>>().concat()
}

/// Nobody gets in before it is closed, not even the master. The owner is the mark, and comes with the same statement.
fn create_database(database: &str, template: &str) -> Vec<Batch> {
    let (name, keeper) = (ident(database), ident(KEEPER));
    vec![
        Batch {
            done_if: DoneIf::DatabaseIsThere { database: database.to_owned() },
            ..sql(format!("CREATE DATABASE {name} OWNER {keeper} TEMPLATE {template} ALLOW_CONNECTIONS false"))
        },
        sql(secure(database, true, false, &[])),
    ]
}

fn secure(database: &str, shut: bool, template: bool, locks: &[String]) -> String {
    let name = ident(database);
    let mut statements = vec![format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC")];
    statements.extend(locks.iter().map(|setting| format!("ALTER DATABASE {name} RESET {}", ident(setting))));
    if template {
        statements.push(format!("ALTER DATABASE {name} IS_TEMPLATE false"));
    }
    if shut {
        statements.push(format!("ALTER DATABASE {name} CONNECTION LIMIT -1 ALLOW_CONNECTIONS true"));
    }
    statements.join("; ")
}

fn take_databases(owner: &str, database: &str) -> Vec<Batch> {
    vec![sql(fill(TAKE_DATABASES, &[("owner", owner), ("database", database), ("heir", HEIR)]))]
}

/// What belongs to `pg_database_owner` is given away while the database is still as it was: until all of it is, a plan asks for this again.
fn take_over(database: &str, owner: &str, pinned: bool) -> Vec<Batch> {
    let values = [("database", database), ("owner", owner), ("keeper", KEEPER)];
    let taken = format!("{}; {}", fill(TAKE_OVER, &values), fill(LAY_OUT, &values));
    let mut batches = Vec::new();
    if pinned {
        batches.push(sql(fill(ADOPT_PINNED, &values)).inside(database));
    }
    batches.push(insist(taken).inside(database));
    if pinned {
        batches.push(sql(fill(ADOPT_PINNED, &values)).inside(database));
    }
    batches
}

fn hand_over(users: &[String], owner: &str) -> Batch {
    sql(fill(&HAND_OVER.replace(":users", &array(users)), &[("owner", owner)]))
}

const SHARED_KINDS: [&str; 5] = ["TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS"];

fn default_privileges(user: &str, verb: &str, preposition: &str, owner: &str, large_objects: bool) -> Batch {
    let (user, owner) = (ident(user), ident(owner));
    let kinds = SHARED_KINDS.into_iter().chain(large_objects.then_some("LARGE OBJECTS"));
    let statement =
        |kind| format!("ALTER DEFAULT PRIVILEGES FOR ROLE {user} {verb} ALL ON {kind} {preposition} {owner}");
    sql(kinds.map(statement).collect::<Vec<_>>().join("; "))
}

/// The way in comes last: an application that tries again and again must not get in before its sessions act as they should.
fn admit(user: &str, database: &str, owner: &str, acts_as_owner: bool, inherits: bool, connects: bool) -> Batch {
    let (user_name, database_name, owner_name) = (ident(user), ident(database), ident(owner));
    let options = if inherits { " WITH INHERIT TRUE, SET TRUE" } else { "" };
    let statements = [
        format!("GRANT {owner_name} TO {user_name}{options}"),
        match acts_as_owner {
            true => format!("ALTER ROLE {user_name} IN DATABASE {database_name} SET role = {}", literal(owner)),
            false => format!("ALTER ROLE {user_name} IN DATABASE {database_name} RESET role"),
        },
        // CONNECT is looked at before any SET ROLE, so a user that does not inherit needs it itself.
        match connects {
            true => format!("GRANT CONNECT ON DATABASE {database_name} TO {user_name}"),
            false => format!("REVOKE CONNECT ON DATABASE {database_name} FROM {user_name}"),
        },
    ];
    sql(statements.join("; "))
}

/// First the way in is closed, then sessions end, and the membership goes last: it is by the membership that a new plan sees that
/// this has not come to its end.
fn expel(user: &str, database: &str, owner: &str) -> Vec<Batch> {
    let (user_name, database_name, owner_name) = (ident(user), ident(database), ident(owner));
    let close = format!(
        "REVOKE ALL ON DATABASE {database_name} FROM {user_name} CASCADE; ALTER ROLE {user_name} IN DATABASE {database_name} RESET role"
    );
    vec![
        insist(close).gone_is_done(),
        end_sessions(user, Some(database)),
        sql(format!("REVOKE {owner_name} FROM {user_name} CASCADE")).gone_is_done(),
    ]
}

#[cfg(test)]
mod tests;
