//! What a look asks the server about, as the server gets it.

use serde_json::{Value, json};
use shared::rules::RoleName;

use super::dialect::DIALECT;
use super::naming::{HEIR, KEEPER, comment, owner_role};
use crate::engine::port::Question;

/// The question as the server gets it.
pub(super) fn to_json(question: Question<'_>) -> Value {
    let desired = question.desired;
    let users = desired.users.iter().map(|(name, flags)| {
        let login = flags.can_login();
        let mapped = desired.databases.values().any(|users| users.contains(name));
        json!({
            "name": name.as_str(),
            "login": login,
            "createdb": flags.createdb.unwrap_or(false),
            "createrole": flags.createrole.unwrap_or(false),
            "inherit": flags.inherit.unwrap_or(true),
            "bypassrls": flags.bypassrls.unwrap_or(false),
            "superuser": flags.superuser.unwrap_or(false),
            "replication": flags.replication.unwrap_or(false),
            "plain": !flags.privileged(),
            "maintenance": DIALECT.enters_maintenance(*flags, mapped),
        })
    });
    let databases = desired.databases.iter().map(|(name, users)| {
        json!({
            "name": name.as_str(),
            "known": question.known.get(name).and_then(|known| known.oid),
            "users": users.iter().map(RoleName::as_str).collect::<Vec<_>>(),
        })
    });
    let owners = desired.databases.keys().map(|name| owner_role(name.as_str()));
    let roles: Vec<_> = [KEEPER, HEIR].map(str::to_owned).into_iter().chain(owners).collect();
    json!({
        "mark": comment(question.mark),
        "roles": roles,
        "users": users.collect::<Vec<_>>(),
        "databases": databases.collect::<Vec<_>>(),
    })
}
