//! Logging in to a server, and a session that changes it.

use reconciler::engine::Password;

use super::{Event, Fingerprint, Postgres, Refusal};

/// A session of a role. What it does, it does under the rules for that role.
pub(crate) struct Session<'a> {
    pub(super) server: &'a mut Postgres,
    pub(super) by: String,
    /// Where it is; a database that it sees is let alone in `DROP DATABASE`.
    pub(super) database: String,
    told: &'a mut Vec<Event>,
    /// How much had been told before what is under way.
    begun: usize,
}

impl<'a> Session<'a> {
    /// A session that the operator opens: what was set for a database or a role does not hold for it.
    pub(crate) fn open(
        server: &'a mut Postgres,
        user: &str,
        password: &Password,
        database: &str,
        told: &'a mut Vec<Event>,
    ) -> Result<Self, Refusal> {
        server.authenticate(user, password)?;
        server.admit(user, database)?;
        Ok(Self { server, by: user.to_owned(), database: database.to_owned(), begun: told.len(), told })
    }

    /// A session of a tenant, who knows the password and acts as itself there (`SET ROLE NONE`).
    pub(super) fn of_tenant(
        server: &'a mut Postgres,
        user: &str,
        database: &str,
        told: &'a mut Vec<Event>,
    ) -> Result<Self, Refusal> {
        if server.roles.get(user).is_none_or(|role| role.password.is_none()) {
            return Err(Refusal::wrong_password(user));
        }
        server.admit(user, database)?;
        if server.databases[database].settings.contains_key("local_preload_libraries") {
            return Err(Refusal::no_library());
        }
        Ok(Self { server, by: user.to_owned(), database: database.to_owned(), begun: told.len(), told })
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.told.push(event);
    }

    /// What was begun is undone: nothing of it happened.
    pub(super) fn untell(&mut self) {
        self.told.truncate(self.begun);
    }

    pub(super) fn me(&self) -> String {
        self.by.clone()
    }

    /// Ends sessions of a user: which takes `pg_signal_backend`, as the master has.
    pub(super) fn end_sessions(&mut self, user: &str, database: Option<&str>) {
        let before = self.server.clients.len();
        let stays = |place: &str| database.is_some_and(|database| database != place);
        self.server.clients.retain(|client| client.user != user || stays(&client.database));
        let sessions = before - self.server.clients.len();
        if sessions > 0 {
            self.tell(Event::SessionsEnded { user: user.to_owned(), database: database.map(str::to_owned), sessions });
        }
    }
}

impl Postgres {
    /// The password is looked at first: who does not know it hears nothing else, not even that there is no such user.
    pub(crate) fn authenticate(&self, user: &str, password: &Password) -> Result<(), Refusal> {
        let known = self.roles.get(user).and_then(|role| role.password);
        if known == Some(Fingerprint::of(password)) { Ok(()) } else { Err(Refusal::wrong_password(user)) }
    }

    /// Whether a user whose password was right gets in.
    pub(crate) fn admit(&self, user: &str, name: &str) -> Result<(), Refusal> {
        if !self.roles.get(user).is_some_and(|role| role.login) {
            return Err(Refusal::no_login(user));
        }
        let database = self.databases.get(name).ok_or_else(|| Refusal::no_database(name))?;
        if !database.admits || database.limit == -2 {
            return Err(Refusal::shut(name));
        }
        if !self.may(user, database, |rights| rights.connects) {
            return Err(Refusal::denied(&format!("database \"{name}\"")));
        }
        let sessions = self.clients.iter().filter(|client| client.database == name).count();
        let limit = usize::try_from(database.limit).unwrap_or(usize::MAX);
        if sessions >= limit && !self.is_superuser(user) {
            return Err(Refusal::full(name));
        }
        Ok(())
    }
}
