//! What a session does to databases and to what is in them.

use super::{Database, Event, PUBLIC, Refusal, Rights, Session};

impl Session<'_> {
    /// `CREATE DATABASE … OWNER … TEMPLATE …`.
    pub(super) fn create_database(
        &mut self,
        name: &str,
        owner: &str,
        template: &str,
        admits: bool,
    ) -> Result<(), Refusal> {
        let by = self.me();
        let server = &mut *self.server;
        if !server.is_superuser(&by) && !server.roles[&by].createdb {
            return Err(Refusal::denied("create database"));
        }
        if !server.roles.contains_key(owner) {
            return Err(Refusal::no_role(owner));
        }
        if !server.can_act_as(&by, owner) {
            return Err(Refusal::denied(&format!("role \"{owner}\"")));
        }
        let source = server.databases.get(template).ok_or_else(|| Refusal::no_database(template))?.clone();
        if !source.template && !server.has_rights_of(&by, &source.owner) {
            return Err(Refusal::denied("copy database"));
        }
        if server.databases.contains_key(name) {
            return Err(Refusal::database_exists(name));
        }
        if server.clients.iter().any(|client| client.database == template) {
            return Err(Refusal::in_use(template));
        }
        let blank = server.blank(owner);
        let oid = blank.oid;
        let made = Database { admits, public: source.public, holdings: source.holdings, ..blank };
        server.databases.insert(name.to_owned(), made);
        self.tell(Event::DatabaseCreated { name: name.to_owned(), oid, by });
        Ok(())
    }

    /// `ALTER DATABASE … RENAME TO`: takes its ownership and CREATEDB, and nobody in it.
    pub(super) fn rename_database(&mut self, name: &str, to: &str) -> Result<(), Refusal> {
        let by = self.me();
        self.owned(name)?;
        let server = &mut *self.server;
        if !server.roles[&by].createdb {
            return Err(Refusal::denied("rename database"));
        }
        if server.databases.contains_key(to) {
            return Err(Refusal::database_exists(to));
        }
        if server.clients.iter().any(|client| client.database == name) {
            return Err(Refusal::in_use(name));
        }
        if let Some(database) = server.databases.remove(name) {
            let oid = database.oid;
            server.databases.insert(to.to_owned(), database);
            self.tell(Event::DatabaseRenamed { name: name.to_owned(), to: to.to_owned(), oid, by });
        }
        Ok(())
    }

    /// `DROP DATABASE`: takes its ownership, and nobody in it.
    pub(super) fn drop_database(&mut self, name: &str) -> Result<(), Refusal> {
        let by = self.me();
        self.owned(name)?;
        if self.server.databases[name].template {
            return Err(Refusal::is_template());
        }
        if self.database == name || self.server.clients.iter().any(|client| client.database == name) {
            return Err(Refusal::in_use(name));
        }
        if let Some(database) = self.server.databases.remove(name) {
            self.tell(Event::DatabaseDropped { name: name.to_owned(), oid: database.oid, by });
        }
        Ok(())
    }

    /// `ALTER DATABASE … OWNER TO`: takes its ownership, CREATEDB, and that one can act as the new owner. The old one's rights become the
    /// new one's.
    pub(super) fn give_database(&mut self, name: &str, to: &str) -> Result<(), Refusal> {
        let by = self.me();
        if !self.server.roles.contains_key(to) {
            return Err(Refusal::no_role(to));
        }
        self.owned(name)?;
        let server = &mut *self.server;
        if !server.can_act_as(&by, to) {
            return Err(Refusal::denied(&format!("role \"{to}\"")));
        }
        if !server.is_superuser(&by) && !server.roles[&by].createdb {
            return Err(Refusal::denied("change owner of database"));
        }
        let Some(database) = server.databases.get_mut(name) else { return Ok(()) };
        if database.owner == to {
            return Ok(());
        }
        let before = std::mem::replace(&mut database.owner, to.to_owned());
        let own = database.rights.remove(&before).unwrap_or_default();
        let rights = database.rights.entry(to.to_owned()).or_default();
        *rights = rights.and(own);
        self.tell(Event::DatabaseGiven { name: name.to_owned(), to: to.to_owned(), by });
        Ok(())
    }

    /// `ALTER DATABASE …` in any other way.
    pub(super) fn alter_database(&mut self, name: &str, change: impl FnOnce(&mut Database)) -> Result<(), Refusal> {
        let by = self.me();
        self.owned(name)?;
        if let Some(database) = self.server.databases.get_mut(name) {
            let before = database.clone();
            change(database);
            if *database != before {
                self.tell(Event::DatabaseAltered { name: name.to_owned(), by });
            }
        }
        Ok(())
    }

    /// `GRANT … ON DATABASE`: without the right to, the server only warns.
    pub(super) fn grant_on(&mut self, name: &str, to: &str, rights: Rights) -> Result<(), Refusal> {
        let by = self.me();
        if !self.can_say_who_enters(name, to)? {
            return Ok(());
        }
        let Some(database) = self.server.databases.get_mut(name) else { return Ok(()) };
        let before = database.rights.get(to).copied().unwrap_or_default();
        let after = before.and(rights);
        if after != before {
            database.rights.insert(to.to_owned(), after);
            self.tell(Event::RightsGranted { database: name.to_owned(), to: to.to_owned(), by });
        }
        Ok(())
    }

    /// `REVOKE … ON DATABASE`: likewise.
    pub(super) fn revoke_on(&mut self, name: &str, from: &str, rights: Rights) -> Result<(), Refusal> {
        let by = self.me();
        if !self.can_say_who_enters(name, from)? {
            return Ok(());
        }
        let Some(database) = self.server.databases.get_mut(name) else { return Ok(()) };
        let Some(before) = database.rights.get(from).copied() else { return Ok(()) };
        let after = before.without(rights);
        match after == Rights::default() {
            true => drop(database.rights.remove(from)),
            false => drop(database.rights.insert(from.to_owned(), after)),
        }
        if after != before {
            self.tell(Event::RightsRevoked { database: name.to_owned(), from: from.to_owned(), by });
        }
        Ok(())
    }

    /// What a role has in this database gets another owner, object by object; those that somebody reads are left. Its grants stay.
    pub(super) fn hand_over(&mut self, from: &str, to: &str) {
        let (here, by) = (self.database.clone(), self.me());
        let server = &mut *self.server;
        if !server.has_rights_of(&by, from) || !server.can_act_as(&by, to) || server.is_read(&here, from) {
            return;
        }
        let Some(database) = server.databases.get_mut(&here) else { return };
        let Some(holding) = database.holdings.get_mut(from) else { return };
        let objects = std::mem::take(&mut holding.objects);
        holding.closed = 0;
        database.move_objects(from, to, objects, 0);
        if objects > 0 {
            let (from, to) = (from.to_owned(), to.to_owned());
            self.tell(Event::ObjectsGiven { database: here, from, to, objects });
        }
    }

    /// `REASSIGN OWNED BY` in this database: all at once, and databases with it.
    pub(super) fn reassign(&mut self, from: &str, to: &str, databases: bool) -> Result<(), Refusal> {
        let (here, by) = (self.database.clone(), self.me());
        let server = &mut *self.server;
        for name in [from, to] {
            if !server.roles.contains_key(name) {
                return Err(Refusal::no_role(name));
            }
            if !server.has_rights_of(&by, name) {
                return Err(Refusal::denied("reassign objects"));
            }
        }
        if server.is_read(&here, from) {
            return Err(Refusal::locked());
        }
        if let Some(database) = server.databases.get_mut(&here)
            && let Some(holding) = database.holdings.get_mut(from)
        {
            let (objects, extensions) = (holding.objects, holding.extensions);
            (holding.objects, holding.closed, holding.extensions) = (0, 0, 0);
            database.move_objects(from, to, objects, extensions);
            let objects = objects + extensions;
            if objects > 0 {
                self.tell(Event::ObjectsGiven { database: here, from: from.to_owned(), to: to.to_owned(), objects });
            }
        }
        if databases {
            let owned = self.server.databases.iter().filter(|(_, database)| database.owner == from);
            let owned: Vec<String> = owned.map(|(name, _)| name.clone()).collect();
            for name in owned {
                self.give_database(&name, to)?;
            }
        }
        Ok(())
    }

    /// Whether this session has the rights of a database's owner.
    fn owned(&self, name: &str) -> Result<(), Refusal> {
        let database = self.server.databases.get(name).ok_or_else(|| Refusal::no_database(name))?;
        match self.server.has_rights_of(&self.by, &database.owner) {
            true => Ok(()),
            false => Err(Refusal { message: format!("must be owner of database {name}"), ..Refusal::denied("") }),
        }
    }

    fn can_say_who_enters(&self, name: &str, grantee: &str) -> Result<bool, Refusal> {
        let database = self.server.databases.get(name).ok_or_else(|| Refusal::no_database(name))?;
        if grantee != PUBLIC && !self.server.roles.contains_key(grantee) {
            return Err(Refusal::no_role(grantee));
        }
        let own = self.server.has_rights_of(&self.by, &database.owner);
        // Who has no right at all on it hears so.
        if own || self.server.may(&self.by, database, |rights| *rights != Rights::default()) {
            return Ok(own);
        }
        Err(Refusal::denied(&format!("database {name}")))
    }
}

impl Database {
    /// Objects of one role become another's; a role that has nothing left here is forgotten.
    fn move_objects(&mut self, from: &str, to: &str, objects: u64, extensions: u64) {
        if self.holdings.get(from).is_some_and(super::Holding::is_empty) {
            self.holdings.remove(from);
        }
        if objects + extensions > 0 {
            let theirs = self.holdings.entry(to.to_owned()).or_default();
            theirs.objects += objects;
            theirs.extensions += extensions;
        }
    }
}

impl super::Postgres {
    /// Whether somebody has read objects of a role in a transaction that is open.
    fn is_read(&self, database: &str, owner: &str) -> bool {
        self.clients.iter().any(|client| client.database == database && client.reads.as_deref() == Some(owner))
    }
}
