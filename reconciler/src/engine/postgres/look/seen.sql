-- What differs from what is wanted ($1), and nothing else: at rest the answer is as good as empty. Runs in the maintenance database,
-- read-only: pg_shdepend is shared, so it tells from here in which databases there is something to do. No comment leaves the server, and
-- every list has an end; the next look goes on from there. Here is what is there; `differences.sql` goes on with the answer.
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
