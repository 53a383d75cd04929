//! What people do on a server past the operator: tenants with their own logins, and whoever has the master's at a console.
//!
//! An act is a value, so that a schedule can hold, print and shorten it; [`Act::sql`] is the same for a real server.

use std::fmt;

use reconciler::engine::Password;

use super::{Client, Event, Fingerprint, Grant, PUBLIC, Postgres, Refusal, Rights, Role, Session};

/// What somebody does in a session of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) by: Who,
    /// Where the session is.
    pub(crate) database: String,
    pub(crate) deed: Deed,
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Tenant(String),
    /// Somebody with the master's password.
    Master,
}

/// What is done. The server lets it be done, or refuses, as it does for the role that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Makes a table of its own: takes CREATE on the schema `public`, which members of the owner role inherit. A plain user has said
    /// `SET ROLE NONE` before: else it would be the owner role's.
    MakeTable { name: String },
    /// Makes a trusted extension, whose owner it is for good: from PostgreSQL 13 on, takes CREATE on the database.
    MakeExtension,
    /// Sets a password: everybody may set their own, CREATEROLE that of others.
    SetPassword { role: String, password: Password },
    /// No longer acts as the owner role in this database: everybody may change what is set for themselves.
    UndoActsAs,
    /// Makes a role without a mark: takes CREATEROLE. From PostgreSQL 16 on its maker administers it.
    MakeRole { name: String, login: bool },
    /// Lets a role log in, or no longer: takes CREATEROLE, and from PostgreSQL 16 on to administer it.
    AlterLogin { role: String, login: bool },
    /// Drops a role that owns nothing: likewise.
    DropRole { role: String },
    /// Grants a role: up to PostgreSQL 15 CREATEROLE grants any but a superuser; from 16 on whoever administers it.
    Grant { role: String, to: String },
    /// Takes that back: likewise, and from PostgreSQL 16 on only what was granted in the same name.
    Revoke { role: String, from: String },
    /// Comments on a role, with a copied mark perhaps: as for altering it. The comment of another stays hidden to nobody.
    Comment { role: String, text: Option<String> },
    /// Makes a database: takes CREATEDB. Everybody may enter it.
    MakeDatabase { name: String },
    /// Drops a database that it has the rights of the owner of, and nobody is in: the master all of ours, a user only its own.
    DropDatabase { name: String },
    /// Renames one: likewise, and takes CREATEDB.
    RenameDatabase { name: String, to: String },
    /// Gives one away: likewise, to a role that it could act as.
    GiveDatabase { name: String, to: String },
    /// Lets everybody connect: the owner's to grant; anybody else's grant only warns.
    OpenDatabase { name: String },
    /// Lets nobody connect, superusers included: takes the owner's rights.
    ShutDatabase { name: String },
    /// Makes it a template, which anybody with CREATEDB may copy: likewise.
    MakeTemplate { name: String },
    /// Sets something for all who enter it: likewise. `local_preload_libraries` of no file keeps all out but the operator.
    SetForAll { name: String, setting: String, value: String },
    /// Leaves a session open, perhaps in a transaction that has read the tables of a role.
    StayConnected { reads: Option<String> },
    /// Closes its sessions here.
    Disconnect,
    /// The server dies in the middle of a DROP DATABASE, since its minor releases of 2023: the database can only be dropped.
    CrashInDrop { name: String },
}

impl Act {
    pub(crate) fn of(user: &str, database: &str, deed: Deed) -> Self {
        Self { by: Who::Tenant(user.to_owned()), database: database.to_owned(), deed }
    }

    pub(crate) fn of_master(deed: Deed) -> Self {
        Self { by: Who::Master, database: "postgres".to_owned(), deed }
    }

    /// Who does it, where that is the master's name.
    pub(crate) fn user<'a>(&'a self, master: &'a str) -> &'a str {
        match &self.by {
            Who::Tenant(user) => user,
            Who::Master => master,
        }
    }

    /// Does it.
    pub(crate) fn play(&self, server: &mut Postgres, told: &mut Vec<Event>) -> Result<(), Refusal> {
        let user = self.user(&server.master).to_owned();
        let mut session = Session::of_tenant(server, &user, &self.database, told)?;
        let plain = Grant { admin: false, inherits: true, sets: true };
        match &self.deed {
            Deed::MakeTable { .. } => session.make_table(),
            Deed::MakeExtension => session.make_extension(),
            Deed::SetPassword { role, password } => session.set_password(role, Fingerprint::of(password)),
            Deed::UndoActsAs => session.act_as(&user, &self.database, None),
            Deed::MakeRole { name, login } => session.create_role(name, Role { login: *login, ..Role::new() }),
            Deed::AlterLogin { role, login } => session.alter_role(role, |role| role.login = *login),
            Deed::DropRole { role } => session.drop_role(role),
            Deed::Grant { role, to } => {
                let inherits = session.server.roles.get(to).is_none_or(|role| role.inherit);
                session.grant(role, to, Grant { inherits, ..plain })
            }
            Deed::Revoke { role, from } => session.revoke(role, from),
            Deed::Comment { role, text } => session.alter_role(role, |role| role.comment.clone_from(text)),
            Deed::MakeDatabase { name } => session.create_database(name, &user, "template1", true),
            Deed::DropDatabase { name } => session.drop_database(name),
            Deed::RenameDatabase { name, to } => session.rename_database(name, to),
            Deed::GiveDatabase { name, to } => session.give_database(name, to),
            Deed::OpenDatabase { name } => session.grant_on(name, PUBLIC, Rights::CONNECT),
            Deed::ShutDatabase { name } => session.alter_database(name, |database| database.admits = false),
            Deed::MakeTemplate { name } => session.alter_database(name, |database| database.template = true),
            Deed::SetForAll { name, setting, value } => session.alter_database(name, |database| {
                database.settings.insert(setting.clone(), value.clone());
            }),
            Deed::StayConnected { reads } => {
                let client = Client { user: user.clone(), database: self.database.clone(), reads: reads.clone() };
                session.server.clients.insert(client);
                session.tell(Event::LoggedIn { user, database: self.database.clone() });
                Ok(())
            }
            Deed::Disconnect => {
                session.end_sessions(&user, Some(&self.database));
                Ok(())
            }
            Deed::CrashInDrop { name } => session.alter_database(name, |database| database.limit = -2),
        }
    }

    /// The same for a real server, in a session that acts as its user (`SET ROLE NONE`); `None` for what takes more than statements.
    #[allow(dead_code, reason = "the simulation has no real server")]
    pub(crate) fn sql(&self) -> Option<String> {
        Some(match &self.deed {
            Deed::MakeTable { name } => format!("CREATE TABLE public.{name} (id int)"),
            Deed::SetPassword { role, password } => {
                format!("ALTER ROLE \"{role}\" PASSWORD '{}'", password.expose())
            }
            Deed::UndoActsAs => {
                let database = &self.database;
                format!("ALTER ROLE CURRENT_USER IN DATABASE \"{database}\" RESET role")
            }
            Deed::MakeRole { name, login } => {
                format!("CREATE ROLE \"{name}\" {}LOGIN", if *login { "" } else { "NO" })
            }
            Deed::AlterLogin { role, login } => {
                format!("ALTER ROLE \"{role}\" {}LOGIN", if *login { "" } else { "NO" })
            }
            Deed::DropRole { role } => format!("DROP ROLE \"{role}\""),
            Deed::Grant { role, to } => format!("GRANT \"{role}\" TO \"{to}\""),
            Deed::Revoke { role, from } => format!("REVOKE \"{role}\" FROM \"{from}\" CASCADE"),
            Deed::Comment { role, text } => {
                let text = text.as_ref().map_or("NULL".to_owned(), |text| format!("'{text}'"));
                format!("COMMENT ON ROLE \"{role}\" IS {text}")
            }
            Deed::MakeDatabase { name } => format!("CREATE DATABASE \"{name}\""),
            Deed::DropDatabase { name } => format!("DROP DATABASE \"{name}\""),
            Deed::RenameDatabase { name, to } => format!("ALTER DATABASE \"{name}\" RENAME TO \"{to}\""),
            Deed::GiveDatabase { name, to } => format!("ALTER DATABASE \"{name}\" OWNER TO \"{to}\""),
            Deed::OpenDatabase { name } => format!("GRANT CONNECT ON DATABASE \"{name}\" TO PUBLIC"),
            Deed::ShutDatabase { name } => format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false"),
            Deed::MakeTemplate { name } => format!("ALTER DATABASE \"{name}\" IS_TEMPLATE true"),
            Deed::SetForAll { name, setting, value } => format!("ALTER DATABASE \"{name}\" SET {setting} = '{value}'"),
            Deed::MakeExtension | Deed::StayConnected { .. } | Deed::Disconnect | Deed::CrashInDrop { .. } => {
                return None;
            }
        })
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.user("the master");
        write!(f, "{by} in {}: {:?}", self.database, self.deed)
    }
}

impl Session<'_> {
    fn make_table(&mut self) -> Result<(), Refusal> {
        let database = &self.server.databases[&self.database];
        let open = database.public.as_ref().is_some_and(|public| public.open);
        if !open && !self.server.owns_public(&self.by, database) {
            return Err(Refusal::denied("schema public"));
        }
        self.own(1, 0);
        Ok(())
    }

    fn make_extension(&mut self) -> Result<(), Refusal> {
        let database = &self.server.databases[&self.database];
        if self.server.version < 130_000 || !self.server.may(&self.by, database, |rights| rights.creates) {
            return Err(Refusal::denied("create extension"));
        }
        self.own(0, 1);
        Ok(())
    }

    fn own(&mut self, objects: u64, extensions: u64) {
        let (owner, here) = (self.me(), self.database.clone());
        let Some(database) = self.server.databases.get_mut(&here) else { return };
        let holding = database.holdings.entry(owner.clone()).or_default();
        holding.objects += objects;
        holding.extensions += extensions;
        if !holding.shares {
            holding.closed += objects;
        }
        self.tell(Event::ObjectsMade { database: here, owner, objects, extensions });
    }
}
