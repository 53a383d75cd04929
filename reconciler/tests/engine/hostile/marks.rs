//! Whose a role is, is not for its users to say (I12).

use reconciler::engine::postgres::{BlockedReason, KEEPER, comment};
use serde_json::json;

use super::roles;
use crate::server::execute;
use crate::world::World;

pub(crate) async fn i12_a_copied_mark_makes_nobody_ours(world: &mut World) {
    let desired = world.desired(&json!({"app": [], "maker": ["createrole"]}), &json!({"shop": ["app"]}));
    world.converge(&desired).await;
    let mark = comment(&world.mark);
    let version: u32 = world.catalog(&desired).await.version;
    let forged = match version < 160_000 {
        // There a role with CREATEROLE may write on any role that is no superuser.
        true => format!("COMMENT ON ROLE sysadmin IS '{mark}'; COMMENT ON ROLE rds_superuser IS '{mark}'"),
        false => format!(
            "CREATE ROLE \"more-owner\" LOGIN; COMMENT ON ROLE \"more-owner\" IS '{mark}';
             CREATE ROLE planted LOGIN; COMMENT ON ROLE planted IS '{mark}'"
        ),
    };
    world.run("maker", "postgres", &forged).await;

    let more = json!({"shop": ["app"], "more": ["app"]});
    let more = world.desired(&json!({"app": [], "maker": ["createrole"]}), &more);
    if version < 160_000 {
        world.converge(&more).await;
    } else {
        let plan = world.converge(&more).await;
        let [blocked] = plan.blocked.as_slice() else { panic!("{:?}", plan.blocked) };
        assert_eq!(blocked.database.as_deref(), Some("more"));
        assert!(matches!(blocked.reason, BlockedReason::RoleUnmanageable { .. }), "{blocked:?}");
        let planted = "SELECT rolcanlogin::text FROM pg_roles WHERE rolname = 'planted'";
        assert_eq!(world.ask("postgres", planted).await.unwrap(), "true", "somebody else's role was locked");
    }
    // The master is still the master.
    assert_eq!(world.plan(&more).await.steps, []);
}

pub(crate) async fn i12_only_the_master_is_a_member_of_the_keeper(world: &mut World) {
    let desired = world.desired(&json!({"app": [], "report": []}), &json!({"shop": ["app"]}));
    world.converge(&desired).await;
    for user in ["app", "report"] {
        let database = if user == "app" { "shop" } else { continue };
        assert_eq!(world.refused(user, database, &format!("SET ROLE \"{KEEPER}\"")).await, "42501");
    }
    let mut master = world.server.connect(&world.server.master()).await.unwrap();
    execute(&mut master, &format!("GRANT \"{KEEPER}\" TO app; GRANT app TO report")).await.unwrap();
    world.converge(&desired).await;
    let members = "SELECT string_agg(concat(roleid::regrole, '<', member::regrole), ' ' ORDER BY roleid::regrole::text, member::regrole::text)
        FROM pg_auth_members WHERE member::regrole::text NOT IN ('sysadmin') AND roleid >= 16384 AND roleid::regrole::text !~ '^rds'
        AND member::regrole::text !~ '^rds'";
    assert_eq!(world.ask("postgres", members).await.unwrap(), r#""shop-owner"<app"#);
}

/// Up to 15 the master makes itself the administrator of every role of ours, or after an upgrade it could alter none of them.
pub(crate) async fn i7_the_master_stays_the_administrator_over_an_upgrade(world: &mut World) {
    let desired = world.desired(&json!({"app": []}), &json!({"shop": ["app"]}));
    world.converge(&desired).await;
    let lacking =
        "SELECT string_agg(r.rolname, ' ') FROM pg_roles r WHERE rolname !~ '^(pg_|rds|sysadmin)' AND NOT EXISTS (
        SELECT FROM pg_auth_members m WHERE m.roleid = r.oid AND m.member = 'sysadmin'::regrole AND m.admin_option)";
    assert_eq!(world.ask("postgres", lacking).await, None);
    // A role that came without it.
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "REVOKE ADMIN OPTION FOR app FROM sysadmin CASCADE").await.unwrap();
    let old = world.catalog(&desired).await.version < 160_000;
    let plan = if old { world.converge(&desired).await } else { world.plan(&desired).await };
    if old {
        assert_eq!(world.ask("postgres", lacking).await, None);
    } else {
        assert!(plan.steps.is_empty(), "{:?}", plan.steps);
        assert!(
            matches!(plan.blocked.as_slice(), [one] if one.reason == BlockedReason::RoleUnmanageable { role: "app".into() })
        );
    }
    assert_eq!(roles(world).await, "app databases-keeper shop-owner sysadmin");
}
