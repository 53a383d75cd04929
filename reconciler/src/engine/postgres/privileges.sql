WITH acting AS (
  -- Whom the session acts as, or can with SET ROLE: a user that does not inherit has to. The owner role is what it is a member of.
  SELECT r.oid FROM pg_catalog.pg_roles r
  WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER OR r.rolname OPERATOR(pg_catalog.=) SESSION_USER
  UNION
  SELECT a.roleid
  FROM pg_catalog.pg_database d
  CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) g
  JOIN pg_catalog.pg_auth_members a ON a.roleid OPERATOR(pg_catalog.=) g.grantee
  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.member
  WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND g.privilege_type OPERATOR(pg_catalog.=) 'CREATE'
    AND r.rolname OPERATOR(pg_catalog.=) SESSION_USER
), closed AS (
  SELECT pg_catalog.concat(n.nspname, '.', c.relname) AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
    AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema' AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.!~) '^pg_'
    -- What an extension brings along is not the application's.
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend e
      WHERE e.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
        AND e.objid OPERATOR(pg_catalog.=) c.oid AND e.deptype OPERATOR(pg_catalog.=) 'e')
    AND NOT EXISTS (
      SELECT FROM acting a
      WHERE pg_catalog.has_schema_privilege(a.oid, n.oid, 'USAGE')
        AND pg_catalog.has_table_privilege(a.oid, c.oid, 'SELECT') AND pg_catalog.has_table_privilege(a.oid, c.oid, 'INSERT')
        AND pg_catalog.has_table_privilege(a.oid, c.oid, 'UPDATE') AND pg_catalog.has_table_privilege(a.oid, c.oid, 'DELETE'))
)
SELECT pg_catalog.json_build_object(
  'session_user', SESSION_USER,
  'current_user', CURRENT_USER,
  'database', pg_catalog.current_database(),
  'server_version', pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
  'may_create_in_public', (
    SELECT pg_catalog.bool_or(
      pg_catalog.has_schema_privilege(a.oid, n.oid, 'USAGE') AND pg_catalog.has_schema_privilege(a.oid, n.oid, 'CREATE'))
    FROM pg_catalog.pg_namespace n CROSS JOIN acting a WHERE n.nspname OPERATOR(pg_catalog.=) 'public'),
  'may_create_schemas', (
    SELECT pg_catalog.bool_or(pg_catalog.has_database_privilege(a.oid, pg_catalog.current_database(), 'CREATE')) FROM acting a),
  'may_create_temporary', (
    SELECT pg_catalog.bool_or(pg_catalog.has_database_privilege(a.oid, pg_catalog.current_database(), 'TEMPORARY')) FROM acting a),
  'closed_tables', (SELECT pg_catalog.count(*) FROM closed),
  'closed_table_examples', (
    SELECT coalesce(pg_catalog.json_agg(few.name), '[]') FROM (SELECT name FROM closed ORDER BY name LIMIT 5) few),
  'connectable', (
    SELECT coalesce(pg_catalog.json_agg(x.datname), '[]')
    FROM (
      SELECT d.datname FROM pg_catalog.pg_database d
      WHERE d.datallowconn AND NOT d.datistemplate AND pg_catalog.has_database_privilege(SESSION_USER, d.oid, 'CONNECT')
      LIMIT 2000
    ) x)
)::pg_catalog.text
