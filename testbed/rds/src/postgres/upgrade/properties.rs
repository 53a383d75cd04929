//! What a database has besides its content: privileges, a comment, settings, limits. pg_restore brings them only to databases that it makes
//! itself, in words that older servers do not know.

use sqlx::PgConnection;

use super::super::admin::{execute, literal};

/// Statements that give a database of this name what that of the old server has. The settings are rows as they are: the statements that make them
/// would read lists in another way than they are kept.
fn statements(database: &str) -> String {
    let name = literal(database);
    format!(
        "WITH d AS (SELECT *, pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = {name})
         SELECT statement FROM (
             SELECT 1 AS step, '' AS key, format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', datname, owner) AS statement
             FROM d WHERE datacl IS NOT NULL
           UNION ALL
             SELECT CASE WHEN grantor = datdba THEN 2 ELSE 3 END, privilege_type,
                    format('SET ROLE %I; GRANT %s ON DATABASE %I TO %s%s; RESET ROLE', pg_get_userbyid(grantor), privilege_type, datname,
                           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                           CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
             FROM d, aclexplode(datacl)
           UNION ALL
             SELECT 4, '', format('COMMENT ON DATABASE %I IS %L', datname, shobj_description(oid, 'pg_database'))
             FROM d WHERE shobj_description(oid, 'pg_database') IS NOT NULL
           UNION ALL
             SELECT 5, '', format('INSERT INTO pg_db_role_setting SELECT (SELECT oid FROM pg_database WHERE datname = %L), \
                                     coalesce((SELECT oid FROM pg_authid WHERE rolname = %L), 0), %L::text[]',
                                  datname, rolname, setconfig)
             FROM d JOIN pg_db_role_setting ON setdatabase = d.oid LEFT JOIN pg_authid r ON r.oid = setrole
           UNION ALL
             SELECT 6, '', format('ALTER DATABASE %I CONNECTION LIMIT %s IS_TEMPLATE %s', datname, datconnlimit, datistemplate::text) FROM d
         ) AS all_of_them ORDER BY step, key"
    )
}

/// Copies them.
pub(super) async fn copy(database: &str, old: &mut PgConnection, new: &mut PgConnection) -> Result<(), sqlx::Error> {
    let query = sqlx::AssertSqlSafe(statements(database));
    for statement in sqlx::query_scalar::<_, String>(query).fetch_all(old).await? {
        execute(new, statement).await?;
    }
    Ok(())
}
