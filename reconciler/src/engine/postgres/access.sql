WITH acting AS (
  -- Whom the session acts as, or can with SET ROLE: a user that does not inherit has to.
  SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user
  UNION
  SELECT d.datdba FROM pg_database d
  WHERE d.datname = current_database() AND pg_has_role(current_user, d.datdba, 'MEMBER')
), closed AS (
  SELECT n.nspname || '.' || c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p')
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    -- What an extension brings along is not the application's.
    AND NOT EXISTS (
      SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
    AND NOT EXISTS (
      SELECT FROM acting a
      WHERE has_schema_privilege(a.oid, n.oid, 'USAGE')
        AND has_table_privilege(a.oid, c.oid, 'SELECT') AND has_table_privilege(a.oid, c.oid, 'INSERT')
        AND has_table_privilege(a.oid, c.oid, 'UPDATE') AND has_table_privilege(a.oid, c.oid, 'DELETE'))
)
SELECT json_build_object(
  'session_user', session_user,
  'current_user', current_user,
  'database', current_database(),
  'server_version', split_part(current_setting('server_version'), ' ', 1),
  'may_create_in_public', (
    SELECT bool_or(has_schema_privilege(a.oid, n.oid, 'USAGE') AND has_schema_privilege(a.oid, n.oid, 'CREATE'))
    FROM pg_namespace n, acting a WHERE n.nspname = 'public'),
  'may_create_schemas', (SELECT bool_or(has_database_privilege(a.oid, current_database(), 'CREATE')) FROM acting a),
  'may_create_temporary', (SELECT bool_or(has_database_privilege(a.oid, current_database(), 'TEMPORARY')) FROM acting a),
  'closed_tables', (SELECT count(*) FROM closed),
  'closed_table_examples', (
    SELECT coalesce(json_agg(name), '[]') FROM (SELECT name FROM closed ORDER BY name LIMIT 5) few),
  'connectable', (
    SELECT coalesce(json_agg(d.datname), '[]')
    FROM pg_database d
    WHERE d.datallowconn AND NOT d.datistemplate AND has_database_privilege(session_user, d.oid, 'CONNECT'))
)::text
