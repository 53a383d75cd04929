use std::collections::BTreeMap;

use super::quote::{ident, literal};
use crate::engine::{Attribute, Mark, Password, SqlStep};

/// One thing that happens on the server at once or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The database it runs in; `None` is the maintenance database.
    pub database: Option<String>,
    /// What is done.
    pub work: Work,
    /// What the server may answer when this was done before.
    pub done_if: DoneIf,
}

/// What a [`Batch`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Statements in one transaction.
    Sql(String),
    /// Ends the sessions of a user, in one database or in all, and waits until they are gone.
    EndSessions {
        /// The user.
        user: String,
        /// The database; `None` is all of them.
        database: Option<String>,
    },
}

/// Which refusal means that the work was done before.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The database is there and has this owner.
    DatabaseIsThere {
        /// The database.
        database: String,
        /// Its owner.
        owner: String,
    },
    /// The role or the database that something was to be taken from is gone.
    SubjectIsGone,
}

/// The statements of a step, in order. `verifier` makes of a password what may be sent to the server.
pub fn script(step: &SqlStep, verifier: impl Fn(&Password) -> String) -> Vec<Batch> {
    match step {
        SqlStep::CloseMaintenance { database } => {
            vec![sql(format!("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC", ident(database)))]
        }
        SqlStep::OpenMaintenance { database, user } => {
            vec![sql(format!("GRANT CONNECT ON DATABASE {} TO {}", ident(database), ident(user)))]
        }
        SqlStep::LeaveMaintenance { database, user } => {
            let revoke = sql(format!("REVOKE CONNECT ON DATABASE {} FROM {}", ident(database), ident(user)));
            vec![revoke.gone_is_done(), end_sessions(user, Some(database))]
        }
        SqlStep::CreateOwner { owner, mark } => vec![create_role(owner, " NOLOGIN", mark)],
        SqlStep::CreateDatabase { database, owner } => vec![Batch {
            done_if: DoneIf::DatabaseIsThere { database: database.clone(), owner: owner.clone() },
            ..sql(format!("CREATE DATABASE {} OWNER {}", ident(database), ident(owner)))
        }],
        SqlStep::CloseDatabase { database, owner } => vec![close_database(database, owner)],
        SqlStep::CreateUser { user, attributes, password, mark } => {
            let password = literal(&verifier(password));
            vec![create_role(user, &format!("{} PASSWORD {password}", clauses(attributes)), mark)]
        }
        SqlStep::AlterUser { user, attributes } => {
            vec![sql(format!("ALTER ROLE {}{}", ident(user), clauses(attributes)))]
        }
        SqlStep::SetPassword { user, password } => {
            // A password that has expired is refused like a wrong one, and would be set again and again.
            let password = literal(&verifier(password));
            vec![sql(format!("ALTER ROLE {} PASSWORD {password} VALID UNTIL 'infinity'", ident(user)))]
        }
        SqlStep::JoinMaster { role, master } => {
            vec![sql(format!("GRANT {} TO {}", ident(role), ident(master)))]
        }
        SqlStep::Grant { role, user } => {
            vec![sql(format!("GRANT {} TO {}", ident(role), ident(user)))]
        }
        SqlStep::Revoke { role, user } => {
            vec![sql(format!("REVOKE {} FROM {}", ident(role), ident(user))).gone_is_done()]
        }
        SqlStep::Admit { user, database, owner, acts_as_owner, inherit } => {
            vec![admit(user, database, owner, *acts_as_owner, *inherit)]
        }
        SqlStep::Expel { user, database, owner } => expel(user, database, owner),
        SqlStep::LockUser { user } => {
            let lock = sql(format!("ALTER ROLE {} NOLOGIN", ident(user)));
            vec![lock.gone_is_done(), end_sessions(user, None)]
        }
        SqlStep::Release { user, database, heir } => {
            let (user, heir) = (ident(user), ident(heir));
            let release = sql(format!("REASSIGN OWNED BY {user} TO {heir}; DROP OWNED BY {user}"));
            vec![release.inside(database).gone_is_done()]
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

fn sql(statements: String) -> Batch {
    Batch { database: None, work: Work::Sql(statements), done_if: DoneIf::Never }
}

fn end_sessions(user: &str, database: Option<&str>) -> Batch {
    let work = Work::EndSessions { user: user.to_owned(), database: database.map(str::to_owned) };
    Batch { database: None, work, done_if: DoneIf::Never }
}

/// The comment comes in the same transaction: a role of ours without its mark would be taken for somebody else's for ever.
fn create_role(role: &str, options: &str, mark: &Mark) -> Batch {
    let name = ident(role);
    Batch {
        done_if: DoneIf::RoleIsThere { role: role.to_owned(), mark: mark.clone() },
        ..sql(format!(
            "CREATE ROLE {name}{options}; COMMENT ON ROLE {name} IS {}; GRANT {name} TO CURRENT_USER",
            literal(mark.as_str())
        ))
    }
}

fn clauses(attributes: &BTreeMap<Attribute, bool>) -> String {
    let clause = |(attribute, on): (&Attribute, &bool)| format!(" {}{attribute}", if *on { "" } else { "NO" });
    attributes.iter().map(clause).collect::<Vec<_>>().concat()
}

/// From PostgreSQL 15 the schema `public` belongs to the database's owner. Before, it belongs to whoever owns it in `template1`:
/// where that is the master it is handed over, else it cannot be changed, and being closed to strangers rests on CONNECT.
fn close_database(database: &str, owner: &str) -> Batch {
    let (name, owner_name, owner_text) = (ident(database), ident(owner), literal(owner));
    sql(format!(
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC;
DO $do$
DECLARE holder oid := (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'public');
BEGIN
  IF pg_catalog.pg_has_role(current_user, holder, 'USAGE') THEN
    IF pg_catalog.pg_get_userbyid(holder) NOT IN ({owner_text}, 'pg_database_owner') THEN
      ALTER SCHEMA public OWNER TO {owner_name};
    END IF;
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
  END IF;
END
$do$"
    ))
    .inside(database)
}

const SHARED_KINDS: [&str; 5] = ["TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS"];

fn admit(user: &str, database: &str, owner: &str, acts_as_owner: bool, inherit: Option<bool>) -> Batch {
    let (user_name, database_name, owner_name) = (ident(user), ident(database), ident(owner));
    let options = match inherit {
        Some(true) => " WITH INHERIT TRUE, SET TRUE",
        Some(false) => " WITH INHERIT FALSE, SET TRUE",
        None => "",
    };
    let mut statements = vec![
        format!("GRANT {owner_name} TO {user_name}{options}"),
        // CONNECT is looked at before any SET ROLE, so a user that does not inherit needs it itself.
        format!("GRANT CONNECT ON DATABASE {database_name} TO {user_name}"),
        if acts_as_owner {
            format!("ALTER ROLE {user_name} IN DATABASE {database_name} SET role = {}", literal(owner))
        } else {
            format!("ALTER ROLE {user_name} IN DATABASE {database_name} RESET role")
        },
    ];
    // Plain users get them too: with SET ROLE NONE they create what is theirs.
    statements.extend(
        SHARED_KINDS
            .map(|kind| format!("ALTER DEFAULT PRIVILEGES FOR ROLE {user_name} GRANT ALL ON {kind} TO {owner_name}")),
    );
    sql(statements.join("; ")).inside(database)
}

/// First the way in is closed, then sessions end, and the membership goes last: it is by the membership that a new plan sees that
/// this has not come to its end.
fn expel(user: &str, database: &str, owner: &str) -> Vec<Batch> {
    let (user_name, database_name, owner_name) = (ident(user), ident(database), ident(owner));
    let mut statements = vec![
        format!("REVOKE CONNECT ON DATABASE {database_name} FROM {user_name}"),
        format!("ALTER ROLE {user_name} IN DATABASE {database_name} RESET role"),
    ];
    statements.extend(
        SHARED_KINDS.map(|kind| {
            format!("ALTER DEFAULT PRIVILEGES FOR ROLE {user_name} REVOKE ALL ON {kind} FROM {owner_name}")
        }),
    );
    vec![
        sql(statements.join("; ")).inside(database).gone_is_done(),
        end_sessions(user, Some(database)),
        sql(format!("REVOKE {owner_name} FROM {user_name}")).gone_is_done(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(step: &SqlStep) -> Vec<String> {
        let batches = script(step, |_| "SCRAM-SHA-256$verifier".to_owned());
        let text = |batch: Batch| match batch.work {
            Work::Sql(statements) => statements,
            Work::EndSessions { user, .. } => format!("end sessions of {user}"),
        };
        batches.into_iter().map(text).collect()
    }

    #[test]
    fn the_membership_is_revoked_last() {
        let (user, database, owner) = ("app".to_owned(), "shop".to_owned(), "shop-owner".to_owned());
        let batches = statements(&SqlStep::Expel { user, database, owner });
        let [first, sessions, last] = batches.as_slice() else { panic!("{batches:?}") };
        assert!(first.starts_with(r#"REVOKE CONNECT ON DATABASE "shop" FROM "app""#), "{first}");
        assert_eq!(sessions, "end sessions of app");
        assert_eq!(last, r#"REVOKE "shop-owner" FROM "app""#);
    }

    #[test]
    fn a_password_is_sent_as_a_verifier_and_names_are_quoted() {
        let step = SqlStep::CreateUser {
            user: r#"odd"name"#.to_owned(),
            attributes: [(Attribute::Login, true), (Attribute::Inherit, false)].into(),
            password: Password::from("clear".to_owned()),
            mark: Mark::new("it's ours"),
        };
        let statements = statements(&step).concat();
        let created = r#"CREATE ROLE "odd""name" LOGIN NOINHERIT PASSWORD 'SCRAM-SHA-256$verifier'; "#;
        assert!(statements.starts_with(created), "{statements}");
        assert!(statements.contains("it''s ours") && !statements.contains("clear"), "{statements}");
    }
}
