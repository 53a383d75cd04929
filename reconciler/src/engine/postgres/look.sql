-- What differs from what is wanted ($1), and nothing else: at rest the answer is as good as empty. Runs in the maintenance database,
-- read-only: pg_shdepend is shared, so it tells from here in which databases there is something to do. No comment leaves the server, and
-- every list has an end; the next look goes on from there.
--
-- Functions, types and operators are written with their schema: whatever a session may look for first, nothing of a user's is used.
WITH asked AS MATERIALIZED (
  SELECT $1::pg_catalog.jsonb AS spec
), me AS MATERIALIZED (
  SELECT r.oid, r.rolsuper, r.rolbypassrls,
         pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version
  FROM pg_catalog.pg_roles r
  WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER
), users AS MATERIALIZED (
  SELECT u.*
  FROM asked
  CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(pg_catalog.jsonb_extract_path(asked.spec, 'users')) AS u(
    name pg_catalog.text, login pg_catalog.bool, createdb pg_catalog.bool, createrole pg_catalog.bool, inherit pg_catalog.bool,
    bypassrls pg_catalog.bool, superuser pg_catalog.bool, replication pg_catalog.bool, plain pg_catalog.bool,
    maintenance pg_catalog.bool)
), databases AS MATERIALIZED (
  SELECT d.*
  FROM asked
  CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(pg_catalog.jsonb_extract_path(asked.spec, 'databases')) AS d(
    name pg_catalog.text, known pg_catalog.int8, users pg_catalog.jsonb)
), pairs AS MATERIALIZED (
  SELECT d.name AS database, u.name AS username, u.plain, u.login, u.inherit
  FROM databases d
  CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(d.users) AS m(name)
  JOIN users u ON u.name OPERATOR(pg_catalog.=) m.name
), members AS MATERIALIZED (
  -- The grants of a membership are read through jsonb: `inherit_option` and `set_option` are there from PostgreSQL 16 only. The server
  -- itself (oid 10) makes the creator of a role its administrator then.
  SELECT a.roleid, a.member,
         pg_catalog.bool_or(a.admin_option) AS admin,
         pg_catalog.bool_or(a.admin_option AND a.grantor OPERATOR(pg_catalog.=) 10::pg_catalog.oid) AS by_creation,
         pg_catalog.bool_or(coalesce(
           pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(a), 'inherit_option')::pg_catalog.bool, r.rolinherit)) AS inherits,
         pg_catalog.bool_or(coalesce(
           pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(a), 'set_option')::pg_catalog.bool, true)) AS sets
  FROM pg_catalog.pg_auth_members a
  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.member
  GROUP BY a.roleid, a.member
), marked AS MATERIALIZED (
  -- From 16 on a role that somebody else made does not become ours by its comment, nor one that an upgrade left without an administrator.
  SELECT r.oid, r.rolname::pg_catalog.text AS name, r.rolcanlogin AS login, r.rolcreatedb AS createdb,
         r.rolcreaterole AS createrole, r.rolinherit AS inherit, r.rolbypassrls AS bypassrls,
         pg_catalog.strpos(r.rolname::pg_catalog.text, '-') OPERATOR(pg_catalog.=) 0 AS person,
         me.rolsuper OR me.version OPERATOR(pg_catalog.<) 160000 OR coalesce(m.by_creation, false) AS manageable,
         me.rolsuper OR coalesce(
           m.inherits AND m.sets AND (m.admin OR me.version OPERATOR(pg_catalog.>=) 160000), false) AS joined
  FROM pg_catalog.pg_shdescription s
  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.objoid
  CROSS JOIN asked
  CROSS JOIN me
  LEFT JOIN members m ON m.roleid OPERATOR(pg_catalog.=) r.oid AND m.member OPERATOR(pg_catalog.=) me.oid
  WHERE s.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
    AND s.description OPERATOR(pg_catalog.=) pg_catalog.jsonb_extract_path_text(asked.spec, 'mark')
    AND NOT r.rolsuper
    AND r.oid OPERATOR(pg_catalog.<>) me.oid
    AND r.rolname::pg_catalog.text OPERATOR(pg_catalog.!~) '^(rds|pg_)'
), ours AS MATERIALIZED (
  SELECT * FROM marked WHERE manageable
), every AS MATERIALIZED (
  -- The name of the owner role is that of `naming::owner_role`.
  SELECT d.oid, d.datname::pg_catalog.text AS name, d.datdba AS owner, d.datallowconn AS admits, d.datconnlimit AS connlimit,
         d.datistemplate AS template, coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba)) AS acl,
         CASE WHEN pg_catalog.octet_length(d.datname::pg_catalog.text) OPERATOR(pg_catalog.<=) 57
           THEN pg_catalog.concat(d.datname, '-owner')
           ELSE pg_catalog.concat(
             pg_catalog.left(d.datname::pg_catalog.text, 48), '-',
             pg_catalog.left(pg_catalog.encode(
               pg_catalog.sha256(pg_catalog.convert_to(d.datname::pg_catalog.text, 'UTF8')), 'hex'), 8),
             '-owner')
         END AS owner_name
  FROM pg_catalog.pg_database d
), kept AS MATERIALIZED (
  -- Ours, wanted or not: those of the keeper, and in the form of v0.1.0 those of their own owner role.
  SELECT e.*, o.oid AS owner_role, coalesce(e.owner OPERATOR(pg_catalog.=) o.oid, false) AS former
  FROM every e
  LEFT JOIN ours o ON o.name OPERATOR(pg_catalog.=) e.owner_name
  LEFT JOIN ours k ON k.name OPERATOR(pg_catalog.=) 'databases-keeper'
  WHERE e.owner OPERATOR(pg_catalog.=) k.oid OR e.owner OPERATOR(pg_catalog.=) o.oid
), rights AS MATERIALIZED (
  SELECT e.oid, a.grantee,
         pg_catalog.bool_or(a.privilege_type OPERATOR(pg_catalog.=) 'CONNECT') AS connects,
         pg_catalog.bool_or(a.privilege_type OPERATOR(pg_catalog.=) 'CREATE') AS creates,
         pg_catalog.bool_or(a.privilege_type OPERATOR(pg_catalog.=) 'TEMPORARY') AS temporary
  FROM every e
  CROSS JOIN LATERAL pg_catalog.aclexplode(e.acl) a
  GROUP BY e.oid, a.grantee
), settings AS MATERIALIZED (
  -- Of a setting only its name and, of `role`, its value: a value can be of any length.
  SELECT s.setdatabase, s.setrole,
         pg_catalog.left(pg_catalog.split_part(c.entry, '=', 1), 63) AS name,
         CASE WHEN pg_catalog.starts_with(c.entry, 'role=') THEN pg_catalog.substr(pg_catalog.left(c.entry, 80), 6) END AS role
  FROM pg_catalog.pg_db_role_setting s
  CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c(entry)
  WHERE s.setdatabase OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
    AND (pg_catalog.starts_with(c.entry, 'role=') OR pg_catalog.starts_with(c.entry, 'local_preload_libraries=')
      OR pg_catalog.starts_with(c.entry, 'session_authorization='))
), deps AS MATERIALIZED (
  -- What people of ours own or were granted, by database (0 is none). What cannot be handed over is not counted: default privileges,
  -- user mappings, servers and their wrappers, event triggers, subscriptions, databases, tablespaces; extensions are counted apart.
  SELECT s.dbid, s.refobjid AS role,
         pg_catalog.count(*) FILTER (WHERE s.deptype OPERATOR(pg_catalog.=) 'o' AND s.classid OPERATOR(pg_catalog.<>) ALL (ARRAY[
           'pg_catalog.pg_default_acl'::pg_catalog.regclass::pg_catalog.oid, 'pg_catalog.pg_user_mapping'::pg_catalog.regclass,
           'pg_catalog.pg_foreign_server'::pg_catalog.regclass, 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass,
           'pg_catalog.pg_event_trigger'::pg_catalog.regclass, 'pg_catalog.pg_subscription'::pg_catalog.regclass,
           'pg_catalog.pg_database'::pg_catalog.regclass, 'pg_catalog.pg_tablespace'::pg_catalog.regclass,
           'pg_catalog.pg_extension'::pg_catalog.regclass])) AS objects,
         pg_catalog.count(*) FILTER (WHERE s.deptype OPERATOR(pg_catalog.=) 'o'
           AND s.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass) AS extensions,
         pg_catalog.count(*) FILTER (WHERE s.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_database'::pg_catalog.regclass
           AND s.dbid OPERATOR(pg_catalog.=) 0::pg_catalog.oid) AS shared
  FROM ours u
  JOIN pg_catalog.pg_shdepend s ON s.refobjid OPERATOR(pg_catalog.=) u.oid
  WHERE u.person AND s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
  GROUP BY s.dbid, s.refobjid
), shares AS MATERIALIZED (
  -- Default privileges of a user that give something to the owner role.
  SELECT o.dbid, o.refobjid AS role, pg_catalog.count(DISTINCT o.objid) AS kinds
  FROM ours u
  JOIN pg_catalog.pg_shdepend o ON o.refobjid OPERATOR(pg_catalog.=) u.oid
  JOIN kept k ON k.oid OPERATOR(pg_catalog.=) o.dbid
  JOIN pg_catalog.pg_shdepend g ON g.dbid OPERATOR(pg_catalog.=) o.dbid AND g.classid OPERATOR(pg_catalog.=) o.classid
    AND g.objid OPERATOR(pg_catalog.=) o.objid AND g.refobjid OPERATOR(pg_catalog.=) k.owner_role
  WHERE u.person
    AND o.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
    AND g.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
    AND o.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_default_acl'::pg_catalog.regclass
    AND o.deptype OPERATOR(pg_catalog.=) 'o' AND g.deptype OPERATOR(pg_catalog.=) 'a'
  GROUP BY o.dbid, o.refobjid
), grouped AS MATERIALIZED (
  -- Which of RDS's own roles a user of ours is a member of.
  SELECT m.member AS role,
         pg_catalog.bool_or(r.rolname OPERATOR(pg_catalog.=) 'rds_superuser') AS superuser,
         pg_catalog.bool_or(r.rolname OPERATOR(pg_catalog.=) 'rds_replication') AS replication
  FROM members m
  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) m.roleid
  WHERE r.rolname OPERATOR(pg_catalog.=) ANY (ARRAY['rds_superuser'::pg_catalog.name, 'rds_replication'::pg_catalog.name])
  GROUP BY m.member
), places AS MATERIALIZED (
  -- The databases that a server begins with, where the master may say who enters them.
  SELECT e.* FROM every e CROSS JOIN me
  WHERE (e.name OPERATOR(pg_catalog.=) pg_catalog.current_database()::pg_catalog.text OR e.name OPERATOR(pg_catalog.=) 'template1')
    AND pg_catalog.pg_has_role(me.oid, e.owner, 'USAGE')
)
SELECT pg_catalog.json_build_object(
  'version', (SELECT version FROM me),
  'master', CURRENT_USER,
  'grants_bypassrls', (
    -- Up to 15 only a superuser gives BYPASSRLS, later whoever has it and CREATEROLE ("CREATE ROLE" in PostgreSQL's manual).
    SELECT rolsuper OR (version OPERATOR(pg_catalog.>=) 160000 AND rolbypassrls) FROM me),
  'server_roles', (
    SELECT coalesce(pg_catalog.json_agg(r.rolname), '[]') FROM pg_catalog.pg_roles r
    WHERE r.rolname OPERATOR(pg_catalog.=) ANY (ARRAY['rds_superuser'::pg_catalog.name, 'rds_replication'::pg_catalog.name])),
  'roles', (
    -- Roles without login that are wanted: whose name is taken, and which are there.
    SELECT coalesce(pg_catalog.json_object_agg(x.name, x.state), '{}')
    FROM (
      SELECT w.name,
             CASE WHEN r.oid IS NULL THEN 'missing' WHEN m.oid IS NULL THEN 'taken'
               WHEN NOT m.manageable THEN 'unmanageable' ELSE 'ours' END AS state
      FROM asked
      CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(pg_catalog.jsonb_extract_path(asked.spec, 'roles')) AS w(name)
      LEFT JOIN pg_catalog.pg_roles r ON r.rolname OPERATOR(pg_catalog.=) w.name
      LEFT JOIN marked m ON m.oid OPERATOR(pg_catalog.=) r.oid
      WHERE m.oid IS NULL OR NOT m.manageable
      LIMIT 2000
    ) x),
  'unjoined', (
    SELECT coalesce(pg_catalog.json_agg(x.name), '[]') FROM (SELECT name FROM ours WHERE NOT joined LIMIT 2000) x),
  'awake', (
    -- A role that must not log in, and can.
    SELECT coalesce(pg_catalog.json_agg(x.name), '[]')
    FROM (SELECT name FROM ours WHERE NOT person AND (login OR createdb OR createrole) LIMIT 2000) x),
  'users', (
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT u.name,
             CASE WHEN r.oid IS NULL THEN 'missing' WHEN m.oid IS NULL THEN 'taken'
               WHEN NOT m.manageable THEN 'unmanageable' ELSE 'ours' END AS state,
             coalesce(m.login, false) AS login, coalesce(m.createdb, false) AS createdb,
             coalesce(m.createrole, false) AS createrole, coalesce(m.inherit, true) AS inherit,
             coalesce(m.bypassrls, false) AS bypassrls,
             coalesce(g.superuser, false) AS superuser, coalesce(g.replication, false) AS replication
      FROM users u
      LEFT JOIN pg_catalog.pg_roles r ON r.rolname OPERATOR(pg_catalog.=) u.name
      LEFT JOIN marked m ON m.oid OPERATOR(pg_catalog.=) r.oid
      LEFT JOIN grouped g ON g.role OPERATOR(pg_catalog.=) r.oid
      WHERE m.oid IS NULL OR NOT m.manageable
        OR m.login OPERATOR(pg_catalog.<>) u.login OR m.createdb OPERATOR(pg_catalog.<>) u.createdb
        OR m.createrole OPERATOR(pg_catalog.<>) u.createrole OR m.inherit OPERATOR(pg_catalog.<>) u.inherit
        OR m.bypassrls OPERATOR(pg_catalog.<>) u.bypassrls
        OR coalesce(g.superuser, false) OPERATOR(pg_catalog.<>) u.superuser
        OR coalesce(g.replication, false) OPERATOR(pg_catalog.<>) u.replication
      LIMIT 2000
    ) x),
  'removed_users', (
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT u.name,
             u.login OR u.createdb OR u.createrole
               OR EXISTS (SELECT FROM pg_catalog.pg_stat_activity s WHERE s.usesysid OPERATOR(pg_catalog.=) u.oid)
               OR EXISTS (SELECT FROM rights a JOIN kept k ON k.oid OPERATOR(pg_catalog.=) a.oid
                 WHERE a.grantee OPERATOR(pg_catalog.=) u.oid)
               OR EXISTS (SELECT FROM rights a JOIN places p ON p.oid OPERATOR(pg_catalog.=) a.oid
                 WHERE a.grantee OPERATOR(pg_catalog.=) u.oid) AS active,
             EXISTS (SELECT FROM every e WHERE e.owner OPERATOR(pg_catalog.=) u.oid) AS owns_databases,
             EXISTS (SELECT FROM deps p WHERE p.role OPERATOR(pg_catalog.=) u.oid
               AND p.shared OPERATOR(pg_catalog.>) 0) AS shared,
             (SELECT coalesce(pg_catalog.json_agg(l), '[]')
              FROM (
                SELECT e.name AS database, CASE WHEN k.oid IS NOT NULL THEN k.owner_name END AS heir
                FROM deps p
                JOIN every e ON e.oid OPERATOR(pg_catalog.=) p.dbid
                LEFT JOIN kept k ON k.oid OPERATOR(pg_catalog.=) e.oid AND k.owner_role IS NOT NULL
                WHERE p.role OPERATOR(pg_catalog.=) u.oid
                ORDER BY e.name
                LIMIT 100
              ) l) AS left_in
      FROM ours u
      WHERE u.person AND NOT EXISTS (SELECT FROM users w WHERE w.name OPERATOR(pg_catalog.=) u.name)
      ORDER BY u.name
      LIMIT 200
    ) x),
  'databases', (
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT w.name, e.oid::pg_catalog.int8 AS oid, k.oid IS NOT NULL AS ours,
             CASE WHEN k.oid IS NULL THEN pg_catalog.pg_get_userbyid(e.owner) END AS owner,
             coalesce(k.former, false) AS former,
             coalesce(e.admits AND e.connlimit OPERATOR(pg_catalog.<>) 0, false) AS admits,
             coalesce(e.connlimit OPERATOR(pg_catalog.=) (-2), false) AS broken,
             coalesce(e.template, false) AS template,
             EXISTS (SELECT FROM rights a WHERE a.oid OPERATOR(pg_catalog.=) e.oid
               AND a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid) AS public,
             EXISTS (SELECT FROM rights a WHERE a.oid OPERATOR(pg_catalog.=) e.oid
               AND a.grantee OPERATOR(pg_catalog.=) k.owner_role AND a.creates AND a.temporary) AS laid_out,
             (SELECT coalesce(pg_catalog.json_agg(s.name), '[]') FROM settings s
              WHERE s.setdatabase OPERATOR(pg_catalog.=) e.oid AND s.setrole OPERATOR(pg_catalog.=) 0::pg_catalog.oid) AS locks,
             (SELECT other.name FROM every other
              WHERE e.oid IS NULL AND other.oid::pg_catalog.int8 OPERATOR(pg_catalog.=) w.known) AS renamed_to
      FROM databases w
      LEFT JOIN every e ON e.name OPERATOR(pg_catalog.=) w.name
      LEFT JOIN kept k ON k.oid OPERATOR(pg_catalog.=) e.oid
      ORDER BY w.name
    ) x
    WHERE x.oid IS NULL OR NOT x.ours OR x.former OR NOT x.admits OR x.template OR x.public OR NOT x.laid_out
      OR pg_catalog.json_array_length(x.locks) OPERATOR(pg_catalog.>) 0),
  'oids', (
    -- Those that the status does not know yet.
    SELECT coalesce(pg_catalog.json_object_agg(w.name, k.oid::pg_catalog.int8), '{}')
    FROM databases w
    JOIN kept k ON k.name OPERATOR(pg_catalog.=) w.name
    WHERE w.known IS NULL OR w.known OPERATOR(pg_catalog.<>) k.oid::pg_catalog.int8),
  'removed_databases', (
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT k.name, k.former, k.owner_name AS owner, (k.admits AND k.connlimit OPERATOR(pg_catalog.<>) 0) AS admits
      FROM kept k
      WHERE NOT EXISTS (SELECT FROM databases w WHERE w.name OPERATOR(pg_catalog.=) k.name)
      ORDER BY k.name
      LIMIT 500
    ) x),
  'pairs', (
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT p.username AS "user", p.database
      FROM pairs p
      CROSS JOIN me
      LEFT JOIN ours u ON u.name OPERATOR(pg_catalog.=) p.username
      LEFT JOIN kept k ON k.name OPERATOR(pg_catalog.=) p.database
      LEFT JOIN members m ON m.roleid OPERATOR(pg_catalog.=) k.owner_role AND m.member OPERATOR(pg_catalog.=) u.oid
      LEFT JOIN settings s ON s.setdatabase OPERATOR(pg_catalog.=) k.oid AND s.setrole OPERATOR(pg_catalog.=) u.oid
        AND s.role IS NOT NULL
      LEFT JOIN rights a ON a.oid OPERATOR(pg_catalog.=) k.oid AND a.grantee OPERATOR(pg_catalog.=) u.oid
      WHERE u.oid IS NULL OR k.oid IS NULL OR m.member IS NULL OR NOT m.sets
        OR (me.version OPERATOR(pg_catalog.>=) 160000 AND NOT m.inherits)
        OR coalesce(s.role, '') OPERATOR(pg_catalog.<>) CASE WHEN p.plain THEN k.owner_name ELSE '' END
        OR coalesce(a.connects, false) OPERATOR(pg_catalog.<>) p.login
      ORDER BY p.database, p.username
      LIMIT 2000
    ) x),
  'strays', (
    -- Users that may still enter, or act in, a database of ours that they are not mapped to.
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT u.name AS "user", k.name AS database
      FROM ours u
      JOIN users w ON w.name OPERATOR(pg_catalog.=) u.name
      CROSS JOIN kept k
      LEFT JOIN pairs p ON p.username OPERATOR(pg_catalog.=) u.name AND p.database OPERATOR(pg_catalog.=) k.name
      LEFT JOIN members m ON m.roleid OPERATOR(pg_catalog.=) k.owner_role AND m.member OPERATOR(pg_catalog.=) u.oid
      LEFT JOIN settings s ON s.setdatabase OPERATOR(pg_catalog.=) k.oid AND s.setrole OPERATOR(pg_catalog.=) u.oid
        AND s.role IS NOT NULL
      LEFT JOIN rights a ON a.oid OPERATOR(pg_catalog.=) k.oid AND a.grantee OPERATOR(pg_catalog.=) u.oid
      WHERE u.person AND p.database IS NULL AND (m.member IS NOT NULL OR s.setrole IS NOT NULL OR a.grantee IS NOT NULL)
      ORDER BY k.name, u.name
      LIMIT 2000
    ) x),
  'stray_members', (
    -- Nobody but the master is a member of the keeper or an heir, and no user of ours is one of another or of a role without a database.
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT o.name AS role, r.rolname::pg_catalog.text AS "user"
      FROM members m
      JOIN ours o ON o.oid OPERATOR(pg_catalog.=) m.roleid
      JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) m.member
      CROSS JOIN me
      LEFT JOIN kept k ON k.owner_role OPERATOR(pg_catalog.=) o.oid
      LEFT JOIN ours u ON u.oid OPERATOR(pg_catalog.=) r.oid
      WHERE k.oid IS NULL AND r.oid OPERATOR(pg_catalog.<>) me.oid AND NOT r.rolsuper
        AND (o.name OPERATOR(pg_catalog.=) ANY (ARRAY['databases-keeper', 'databases-heir'])
          OR (u.person AND NOT EXISTS (
            -- Who works in a wanted database that is missing works in it again when it is back.
            SELECT FROM asked
            CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(pg_catalog.jsonb_extract_path(asked.spec, 'roles')) AS w(name)
            WHERE w.name OPERATOR(pg_catalog.=) o.name)))
      ORDER BY o.name, r.rolname
      LIMIT 2000
    ) x),
  'unshared', (
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT p.username AS "user", p.database
      FROM pairs p
      LEFT JOIN ours u ON u.name OPERATOR(pg_catalog.=) p.username
      LEFT JOIN kept k ON k.name OPERATOR(pg_catalog.=) p.database
      LEFT JOIN shares s ON s.dbid OPERATOR(pg_catalog.=) k.oid AND s.role OPERATOR(pg_catalog.=) u.oid
      CROSS JOIN me
      WHERE NOT p.plain
        AND coalesce(s.kinds, 0) OPERATOR(pg_catalog.<) CASE WHEN me.version OPERATOR(pg_catalog.>=) 180000 THEN 6 ELSE 5 END
      ORDER BY p.database, p.username
      LIMIT 2000
    ) x),
  'overshared', (
    -- A plain user would need them to restore its own dump.
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT u.name AS "user", k.name AS database
      FROM shares s
      JOIN ours u ON u.oid OPERATOR(pg_catalog.=) s.role
      JOIN kept k ON k.oid OPERATOR(pg_catalog.=) s.dbid
      JOIN users w ON w.name OPERATOR(pg_catalog.=) u.name
      LEFT JOIN pairs p ON p.username OPERATOR(pg_catalog.=) u.name AND p.database OPERATOR(pg_catalog.=) k.name
      WHERE coalesce(p.plain, true)
      ORDER BY k.name, u.name
      LIMIT 2000
    ) x),
  'possessions', (
    -- What users own themselves in a database of ours. Up to 15 one that does not inherit could no longer use what it gave away.
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT k.name AS database, u.name AS "user", p.objects, p.extensions
      FROM deps p
      JOIN ours u ON u.oid OPERATOR(pg_catalog.=) p.role
      JOIN users w ON w.name OPERATOR(pg_catalog.=) u.name
      JOIN kept k ON k.oid OPERATOR(pg_catalog.=) p.dbid
      CROSS JOIN me
      WHERE p.objects OPERATOR(pg_catalog.+) p.extensions OPERATOR(pg_catalog.>) 0
        AND (w.inherit OR me.version OPERATOR(pg_catalog.>=) 160000)
      ORDER BY k.name, u.name
      LIMIT 2000
    ) x),
  'open', (
    -- Databases that everybody may enter and that ours can close: those the server began with, and those that users made.
    SELECT coalesce(pg_catalog.json_agg(x.name), '[]')
    FROM (
      SELECT e.name
      FROM every e
      WHERE EXISTS (SELECT FROM rights a WHERE a.oid OPERATOR(pg_catalog.=) e.oid AND a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid)
        AND e.connlimit OPERATOR(pg_catalog.<>) (-2)
        AND (EXISTS (SELECT FROM places p WHERE p.oid OPERATOR(pg_catalog.=) e.oid)
          OR EXISTS (SELECT FROM ours o WHERE o.oid OPERATOR(pg_catalog.=) e.owner
            AND NOT EXISTS (SELECT FROM databases w WHERE w.name OPERATOR(pg_catalog.=) e.name)))
      ORDER BY e.name
      LIMIT 500
    ) x),
  'given_away', (
    -- An owner role owns no database. Whoever gave it one is one of its members, and any other of them could drop it.
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT e.name AS database, o.name AS owner
      FROM every e
      JOIN ours o ON o.oid OPERATOR(pg_catalog.=) e.owner
      WHERE NOT o.person AND o.name OPERATOR(pg_catalog.<>) e.owner_name
        AND o.name OPERATOR(pg_catalog.<>) 'databases-keeper' AND o.name OPERATOR(pg_catalog.<>) 'databases-heir'
      ORDER BY e.name
      LIMIT 500
    ) x),
  'maintenance', (
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT w.name AS "user", w.maintenance AS enters
      FROM users w
      JOIN places p ON p.name OPERATOR(pg_catalog.=) pg_catalog.current_database()::pg_catalog.text
      LEFT JOIN ours u ON u.name OPERATOR(pg_catalog.=) w.name
      LEFT JOIN rights a ON a.oid OPERATOR(pg_catalog.=) p.oid AND a.grantee OPERATOR(pg_catalog.=) u.oid
      WHERE coalesce(a.connects, false) OPERATOR(pg_catalog.<>) w.maintenance
      ORDER BY w.name
      LIMIT 2000
    ) x)
)::pg_catalog.text
