//! Reading `spec.users` and `spec.databases`, which name each other.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::filled::Filled;
use super::name::Name;
use super::path::{Path, SPEC, shown_key};
use super::quote::{quoted, suggestion};
use super::reader::{ENTRY_LIMIT, Reader};
use super::reserved::Place;
use super::{Engine, Refusal, RoleFlags, Rule, spellings};

/// Most role flags of one user that are looked at: each word and its opposite.
const FLAG_LIMIT: usize = 2 * RoleFlags::WORDS.len();

/// The users with their flags, by name.
pub(super) type Users<'a> = BTreeMap<Name<'a>, RoleFlags>;

/// The databases with their users, by name.
pub(super) type Databases<'a> = BTreeMap<Name<'a>, Vec<Name<'a>>>;

/// Who can be meant by a user of a database.
struct Roster<'a> {
    engine: Engine,
    people: HashMap<&'a str, Person<'a>>,
}

#[derive(Clone, Copy)]
struct Person<'a> {
    standing: Standing<'a>,
    /// Number of the database that named it last.
    named_in: Option<usize>,
}

#[derive(Clone, Copy)]
enum Standing<'a> {
    /// One of `spec.users`.
    User(Name<'a>),
    /// One of `spec.users`, whose name was refused there.
    Refused,
    /// A key of `spec.users` that is null.
    Null,
    /// The master user.
    Master,
}

/// What is wrong with a user of a database.
#[derive(Clone, Copy)]
enum Slip {
    /// Named twice in one database.
    Repeated,
    /// A key of `spec.users` that is null.
    Null,
    /// The master user.
    Master,
    /// Not in `spec.users`.
    Stranger,
}

impl Reader {
    /// The users and databases that could be parsed.
    pub(super) fn people<'a>(
        &mut self,
        engine: Engine,
        spec: &Filled<'a>,
        master_user: Option<Name<'a>>,
    ) -> (Users<'a>, Databases<'a>) {
        let mut roster = Roster { engine, people: HashMap::new() };
        let mut users = Users::new();
        let mut databases = Databases::new();
        if let Some(written) = spec.get("users") {
            self.users(written, master_user, &mut roster, &mut users);
        }
        if let Some(master) = master_user {
            roster.people.entry(master.as_str()).or_insert(Person { standing: Standing::Master, named_in: None });
        }
        if let Some(written) = spec.get("databases") {
            self.databases(written, master_user, &mut roster, &mut databases);
        }
        (users, databases)
    }

    fn users<'a>(
        &mut self,
        written: &'a Value,
        master_user: Option<Name<'a>>,
        roster: &mut Roster<'a>,
        users: &mut Users<'a>,
    ) {
        let at = SPEC.field("users");
        let Some(entries) = self.entries(written, &at, "users") else {
            // Nobody is missing from a map that is too large to be read.
            let keys = written.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
            roster.people.extend(keys.map(|key| (key, Person { standing: Standing::Refused, named_in: None })));
            return;
        };
        roster.people.reserve(entries.len() + 1);
        let mut named = Vec::with_capacity(entries.len());
        for (key, flags) in entries {
            let field = at.key(key);
            let name = self.name(&field, roster.engine, Place::User, key);
            if name.is_some() && name == master_user {
                let message = format_args!("{} is the master user already: it is not one of spec.users", quoted(key));
                self.refuse(&field, Rule::MasterUserInUsers, message);
            }
            let standing = match name {
                _ if flags.is_null() => Standing::Null,
                Some(name) => Standing::User(name),
                None => Standing::Refused,
            };
            roster.people.insert(key, Person { standing, named_in: None });
            if flags.is_null() {
                continue;
            }
            let flags = self.flags(flags, &field);
            named.extend(name.map(|name| (name, flags)));
        }
        // In order already, so that the map is made in one go.
        *users = named.into_iter().collect();
    }

    fn flags(&mut self, written: &Value, field: &Path<'_>) -> RoleFlags {
        let mut flags = RoleFlags::default();
        let words = self.list(written, field, FLAG_LIMIT, "role flags, such as [createdb] or []");
        for (index, word) in words.iter().enumerate() {
            let field = field.index(index);
            let Some(word) = self.item(word, &field) else { continue };
            match flags.declare(word) {
                Ok(()) => {}
                Err(_) if self.violations.full() => self.violations.count(),
                Err(refusal) => {
                    let hint = RoleFlags::hint(refusal.rule, word);
                    self.violations.push_hinted(refusal.at(&field), hint);
                }
            }
        }
        flags
    }

    fn databases<'a>(
        &mut self,
        written: &'a Value,
        master_user: Option<Name<'a>>,
        roster: &mut Roster<'a>,
        databases: &mut Databases<'a>,
    ) {
        let at = SPEC.field("databases");
        let Some(entries) = self.entries(written, &at, "databases") else { return };
        let mut named = Vec::with_capacity(entries.len());
        for (number, (key, members)) in entries.iter().enumerate() {
            let field = at.key(key);
            let name = self.name(&field, roster.engine, Place::Database, key);
            if master_user.is_some_and(|master| master.as_str() == key) {
                let message = format_args!("{} is the name of the master user: choose another one", quoted(key));
                self.refuse(&field, Rule::MasterUserAsDatabase, message);
            }
            if members.is_null() {
                continue;
            }
            let items = self.list(members, &field, ENTRY_LIMIT, "users, such as [app]");
            let mut members = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let field = field.index(index);
                let Some(member) = self.item(item, &field) else { continue };
                match roster.name(member, number) {
                    Ok(user) => members.extend(user),
                    // Looking for what was meant is only worth it where it is told.
                    Err(_) if self.violations.full() => self.violations.count(),
                    Err(slip) => {
                        let hint = self.hint(roster, slip, member);
                        self.violations.push_hinted(slip.refusal(member).at(&field), hint);
                    }
                }
            }
            named.extend(name.map(|name| (name, members)));
        }
        *databases = named.into_iter().collect();
    }
}

impl Reader {
    /// The name that a key is.
    fn name<'a>(&mut self, field: &Path<'_>, engine: Engine, place: Place, key: &'a str) -> Option<Name<'a>> {
        match Name::parse(engine, place, key) {
            Ok(name) => return Some(name),
            Err(_) if self.violations.full() => self.violations.count(),
            Err(refusal) => self.violations.push_hinted(refusal.at(field), spellings::of_key(key)),
        }
        None
    }

    /// Who was probably meant by somebody unknown, or how to make the name known.
    fn hint(&mut self, roster: &Roster<'_>, slip: Slip, member: &str) -> String {
        if !matches!(slip, Slip::Stranger) || self.hints == 0 {
            return String::new();
        }
        self.hints -= 1;
        let hint = roster.meant(member);
        if hint.is_empty() && Name::parse(roster.engine, Place::User, member).is_ok() {
            return format!("; to add the user, write {member}: [] there");
        }
        hint
    }
}

impl<'a> Roster<'a> {
    /// The user that is named in the database of this number; none where its name was refused before.
    fn name(&mut self, member: &str, database: usize) -> Result<Option<Name<'a>>, Slip> {
        let person = self.people.get_mut(member).ok_or(Slip::Stranger)?;
        if person.named_in.replace(database) == Some(database) {
            return Err(Slip::Repeated);
        }
        match person.standing {
            Standing::User(name) => Ok(Some(name)),
            Standing::Refused => Ok(None),
            Standing::Null => Err(Slip::Null),
            Standing::Master => Err(Slip::Master),
        }
    }

    /// Which of the users was probably meant by somebody unknown.
    fn meant(&self, stranger: &str) -> String {
        let users = self.people.iter().filter(|(_, person)| matches!(person.standing, Standing::User(_)));
        suggestion(stranger, users.map(|(name, _)| *name))
    }
}

impl Slip {
    fn refusal(self, member: &str) -> Refusal {
        let name = quoted(member);
        match self {
            Self::Repeated => Refusal::new(Rule::RepeatedMember, format!("{name} is listed twice")),
            Self::Null => {
                let member = shown_key(member);
                let message = format!("{name} is null in spec.users, which means absent: write {member}: [] there");
                Refusal::new(Rule::UserIsNull, message)
            }
            Self::Master => {
                let message = format!("{name} is the master user, who may work in every database anyway");
                Refusal::new(Rule::MasterUserAsMember, message)
            }
            Self::Stranger => Refusal::new(Rule::UserNotDeclared, format!("{name} is not in spec.users")),
        }
    }
}
