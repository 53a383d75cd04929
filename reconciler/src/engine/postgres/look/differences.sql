-- Goes on from `seen.sql`.
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
    WHERE x.oid IS NULL OR NOT x.ours OR x.former OR NOT x.admits OR x.broken OR x.template OR x.public OR NOT x.laid_out
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
      SELECT k.name, k.former, k.owner_name AS owner, (k.admits AND k.connlimit OPERATOR(pg_catalog.<>) 0) AS admits,
             (k.connlimit OPERATOR(pg_catalog.=) (-2)) AS broken
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
    -- What users own themselves in a database of ours that has its owner role: one that was renamed has none to hand over to. Up to 15 one
    -- that does not inherit could no longer use what it gave away.
    SELECT coalesce(pg_catalog.json_agg(x), '[]')
    FROM (
      SELECT k.name AS database, u.name AS "user", p.objects, p.extensions
      FROM deps p
      JOIN ours u ON u.oid OPERATOR(pg_catalog.=) p.role
      JOIN users w ON w.name OPERATOR(pg_catalog.=) u.name
      JOIN kept k ON k.oid OPERATOR(pg_catalog.=) p.dbid
      CROSS JOIN me
      WHERE p.objects OPERATOR(pg_catalog.+) p.extensions OPERATOR(pg_catalog.>) 0 AND k.owner_role IS NOT NULL
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
