//! Users of a database as its enemies: with psql, their own login, and all the time in the world.

pub(crate) mod code;
pub(crate) mod doors;
pub(crate) mod loss;
pub(crate) mod marks;
pub(crate) mod removal;

use crate::server::execute;
use crate::world::World;

/// Every role of the server that is not the server's own.
const ROLES: &str = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^(pg_|rds)'";

pub(crate) async fn roles(world: &World) -> String {
    world.ask("postgres", ROLES).await.unwrap()
}

/// Brings a database to the form of v0.1.0: it belongs to its owner role, of which its users are members.
pub(crate) async fn as_in_v0_1_0(world: &World, database: &str) {
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, &format!("ALTER DATABASE \"{database}\" OWNER TO \"{database}-owner\"")).await.unwrap();
}
