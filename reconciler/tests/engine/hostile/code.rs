//! Nothing of a user's runs as the operator (I12).

use serde_json::json;

use super::{as_in_v0_1_0, roles};
use crate::server::execute;
use crate::world::World;

/// Functions and operators that are better matches than PostgreSQL's own for what an operator would ask. Each makes a role when the
/// master comes by.
const TRAPS: &str = r"
CREATE SCHEMA IF NOT EXISTS evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.strike() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF session_user = 'sysadmin' THEN
    EXECUTE 'CREATE ROLE intruder LOGIN';
    EXECUTE 'GRANT rds_superuser TO intruder';
  END IF;
END $$;
CREATE FUNCTION evil.same(a oid, b oid) RETURNS boolean LANGUAGE sql AS 'SELECT evil.strike(); SELECT $1::text = $2::text';
CREATE FUNCTION evil.same(a name, b text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.strike(); SELECT $1::text = $2';
CREATE FUNCTION evil.same(a name, b name) RETURNS boolean LANGUAGE sql AS 'SELECT evil.strike(); SELECT $1::text = $2::text';
CREATE FUNCTION evil.same(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN true; END $$;
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.same);
CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.same);
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
CREATE OPERATOR evil.<> (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
CREATE FUNCTION public.pg_get_userbyid(bigint) RETURNS name LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN 'x'; END $$;
CREATE FUNCTION public.shobj_description(oid, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN 'x'; END $$;
CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN 'SELECT 1'; END $$;
CREATE FUNCTION public.has_database_privilege(oid, name, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN true; END $$;
CREATE FUNCTION public.to_jsonb(pg_auth_members) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN '{}'; END $$;
CREATE AGGREGATE public.bool_or(boolean) (SFUNC = boolor_statefunc, STYPE = boolean);
CREATE FUNCTION public.pg_has_role(name, oid, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN true; END $$;
CREATE FUNCTION evil.on_drop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.strike(); RETURN NULL; END $$;
CREATE TABLE bait (id int PRIMARY KEY, what text CHECK (what <> ''));
CREATE TRIGGER bait AFTER INSERT OR TRUNCATE ON bait FOR EACH STATEMENT EXECUTE FUNCTION evil.on_drop();
CREATE VIEW lure AS SELECT evil.strike()::text;
";

pub(crate) async fn i12_no_operator_or_function_of_a_user_runs_as_the_master(world: &mut World) {
    let users = json!({"app": [], "gone": [], "chief": ["createdb"]});
    let databases = json!({"shop": ["app", "gone", "chief"], "other": ["app"]});
    let before = world.desired(&users, &databases);
    world.converge(&before).await;
    world.run("app", "shop", TRAPS).await;
    world.run("app", "other", TRAPS).await;
    // Up to 14 whoever may enter the maintenance database may also make things there.
    let chief = world.connect("chief", "postgres").await;
    let _ = execute(&mut chief.unwrap(), TRAPS).await;
    world
        .run(
            "gone",
            "shop",
            "SET ROLE NONE; CREATE TABLE by_gone (id int); CREATE VIEW evil_view AS SELECT evil.strike()::text",
        )
        .await;

    // As it was left by v0.1.0, where each of them could do all this to its database.
    as_in_v0_1_0(world, "shop").await;
    for setting in [
        "search_path = evil, public, pg_catalog",
        "timezone = 'Asia/Tokyo'",
        "local_preload_libraries = 'nothing-that-is-there'",
        "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'",
        "statement_timeout = '1ms'",
        "exit_on_error = on",
        "role = 'gone'",
    ] {
        // The last of them leaves nobody but its author a way in.
        world.run("app", "shop", &format!("ALTER DATABASE shop SET {setting}")).await;
        if setting.starts_with("local_preload") {
            let mut admin = world.server.admin("postgres").await;
            execute(&mut admin, "ALTER DATABASE shop RESET local_preload_libraries").await.unwrap();
        }
        if setting.starts_with("statement_timeout") || setting.starts_with("default_transaction_read_only") {
            let mut admin = world.server.admin("postgres").await;
            let name = setting.split(' ').next().unwrap();
            execute(
                &mut admin,
                &format!("ALTER DATABASE shop RESET {name}; ALTER ROLE sysadmin IN DATABASE shop SET {setting}"),
            )
            .await
            .unwrap();
        }
    }
    let mut admin = world.server.admin("postgres").await;
    let shut = "ALTER DATABASE shop SET local_preload_libraries = 'nothing-that-is-there'; GRANT ALL ON DATABASE shop TO PUBLIC";
    execute(&mut admin, shut).await.unwrap();
    drop(admin);

    let after = world.desired(
        &json!({"app": [], "chief": [], "new": []}),
        &json!({"shop": ["app", "chief", "new"], "other": ["app"]}),
    );
    world.converge(&after).await;
    assert_eq!(roles(world).await, "app chief databases-heir databases-keeper new other-owner shop-owner sysadmin");
    let settings = "SELECT string_agg(c, ' ' ORDER BY c) FROM pg_db_role_setting, unnest(setconfig) c WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = 'shop')";
    let kept = "TimeZone=Asia/Tokyo default_transaction_isolation=serializable exit_on_error=on search_path=evil, public, pg_catalog";
    assert_eq!(world.ask("postgres", settings).await.unwrap(), kept);
    for user in ["app", "new", "chief"] {
        world.check(user, "shop").await.unwrap();
        world.run(user, "shop", "INSERT INTO public.by_gone VALUES (1)").await;
    }
    assert_eq!(world.connect("app", "postgres").await.unwrap_err(), "42501");
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "ALTER ROLE sysadmin IN DATABASE shop RESET ALL").await.unwrap();
    let left = "DROP SCHEMA IF EXISTS evil CASCADE";
    execute(&mut admin, left).await.unwrap();
}

pub(crate) async fn i12_what_a_removed_user_left_in_its_own_database_runs_as_nobody(world: &mut World) {
    let both = world.desired(&json!({"app": ["createdb"], "maker": ["createdb"]}), &json!({"shop": ["app"]}));
    world.converge(&both).await;
    world.run("maker", "postgres", "CREATE DATABASE scratch").await;
    let trap = "CREATE FUNCTION whoami() RETURNS name LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user';
        CREATE FUNCTION elevate() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE 'CREATE ROLE intruder'; END $$";
    world.run("maker", "scratch", trap).await;
    world.run("maker", "scratch", "GRANT CONNECT ON DATABASE scratch TO app; CREATE TABLE mine (id int)").await;
    // What keeps the operator out of it is undone before it is entered.
    world.run("maker", "postgres", "ALTER DATABASE scratch SET role = 'maker'").await;
    world.run("maker", "postgres", "ALTER DATABASE scratch SET search_path = 'evil'").await;
    world.run("maker", "postgres", "ALTER DATABASE scratch ALLOW_CONNECTIONS false").await;

    let one = world.desired(&json!({"app": ["createdb"]}), &json!({"shop": ["app"]}));
    world.converge(&one).await;
    assert_eq!(world.ask("scratch", "SELECT whoami()::text").await.unwrap(), "databases-heir");
    assert_eq!(world.refused("app", "scratch", "SELECT elevate()").await, "42501");
    assert_eq!(roles(world).await, "app databases-heir databases-keeper shop-owner sysadmin");
    let rights = "SELECT concat(rolcanlogin, rolcreatedb, rolcreaterole, rolbypassrls, (SELECT count(*) FROM pg_auth_members WHERE member = r.oid)) FROM pg_roles r WHERE rolname = 'databases-heir'";
    assert_eq!(world.ask("postgres", rights).await.unwrap(), "ffff0");
}
