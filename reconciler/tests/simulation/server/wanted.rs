//! What objects declare and what people do, by chance: for the model of a server and for real ones.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reconciler::engine::Mark;
use reconciler::engine::postgres::{KEEPER, comment, owner_role};
use serde_json::{Map, Value, json};
use shared::rules::{DefaultVersions, Desired, defaults, parse};

use super::postgres::{Act, Deed};

pub(crate) const USERS: [&str; 4] = ["app", "report", "chief", "maker"];
const DATABASES: [&str; 3] = ["shop", "other", "old"];
const FLAGS: [&str; 6] = ["createdb", "createrole", "superuser", "replication", "nologin", "noinherit"];

/// Chance under a seed.
pub(crate) struct Wanted(StdRng);

impl Wanted {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    fn once_in(&mut self, times: u32) -> bool {
        self.0.random_ratio(1, times)
    }

    /// Users with flags, and databases with members.
    pub(crate) fn desired(&mut self) -> Desired {
        let mut users = Map::new();
        for user in USERS {
            if !self.once_in(4) {
                let flags: Vec<&str> = FLAGS.into_iter().filter(|_| self.once_in(6)).collect();
                users.insert(user.to_owned(), json!(flags));
            }
        }
        let mut databases = Map::new();
        for database in DATABASES {
            if !self.once_in(3) {
                let members: Vec<&String> = users.keys().filter(|_| !self.once_in(3)).collect();
                databases.insert(database.to_owned(), json!(members));
            }
        }
        desired(&users.into(), &databases.into())
    }

    /// Something that somebody may try there; `nth` tells it from others.
    pub(crate) fn act(&mut self, mark: &Mark, nth: u64) -> Act {
        let any = |random: &mut StdRng, names: &[&str]| names.choose(random).map_or(String::new(), ToString::to_string);
        let user = any(&mut self.0, &USERS);
        let place = any(&mut self.0, &["shop", "other", "old", "postgres"]);
        let name = any(&mut self.0, &["shop", "other", "old", "den"]);
        let owner = owner_role(&name);
        let role = any(&mut self.0, &["app", "maker", "child", KEEPER, "sysadmin", "rds_superuser", &owner]);
        let person = any(&mut self.0, &["app", "maker", "child"]);
        let deed = match self.0.random_range(0..20) {
            0..=3 => Deed::MakeTable { name: format!("t{nth}") },
            4 => Deed::UndoActsAs,
            5 | 6 => Deed::MakeRole { name: any(&mut self.0, &["child", "chief"]), login: self.once_in(2) },
            7 => Deed::AlterLogin { role: person, login: self.once_in(2) },
            8 => Deed::DropRole { role: any(&mut self.0, &["child", "report"]) },
            9 => Deed::Grant { role, to: any(&mut self.0, &USERS) },
            10 => Deed::Revoke { role, from: any(&mut self.0, &USERS) },
            11 => Deed::Comment { role, text: self.once_in(2).then(|| comment(mark)) },
            12 | 13 => Deed::MakeDatabase { name },
            14 => Deed::DropDatabase { name },
            15 => Deed::RenameDatabase { name, to: "den".to_owned() },
            16 => Deed::GiveDatabase { name: "den".to_owned(), to: owner },
            17 => Deed::OpenDatabase { name },
            18 => Deed::ShutDatabase { name },
            _ => Deed::MakeTemplate { name },
        };
        match self.once_in(4) {
            true => Act::of_master(deed),
            false => Act::of(&user, &place, deed),
        }
    }
}

/// What a spec with these users and databases asks for.
pub(crate) fn desired(users: &Value, databases: &Value) -> Desired {
    let spec = defaults(&json!({"users": users, "databases": databases}), None, DefaultVersions::BUILT_IN);
    parse("orders", &spec).expect("the words above are valid")
}
