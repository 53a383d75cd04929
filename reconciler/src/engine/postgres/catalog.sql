SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'master', current_user,
  'maintenance', current_database(),
  'roles', (
    SELECT json_object_agg(r.rolname, json_build_object(
      'login', r.rolcanlogin,
      'superuser', r.rolsuper,
      'createdb', r.rolcreatedb,
      'createrole', r.rolcreaterole,
      'inherit', r.rolinherit,
      'bypassrls', r.rolbypassrls,
      'comment', shobj_description(r.oid, 'pg_authid'),
      'memberships', (
        SELECT coalesce(json_object_agg(m.name, json_build_object('inherit', m.inherits, 'set', m.sets)), '{}')
        FROM (
          SELECT g.rolname AS name,
                 bool_or(coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, r.rolinherit)) AS inherits,
                 bool_or(coalesce((to_jsonb(a) ->> 'set_option')::boolean, true)) AS sets
          FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
          WHERE a.member = r.oid
          GROUP BY g.rolname
        ) m),
      'sessions', EXISTS (SELECT FROM pg_stat_activity s WHERE s.usesysid = r.oid AND s.pid <> pg_backend_pid()),
      -- What belongs to no database, such as a database itself, can be dealt with in any.
      'depends_in', (
        SELECT coalesce(json_agg(DISTINCT coalesce(d.datname, current_database())), '[]')
        FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
        WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid)))
    FROM pg_roles r
    WHERE r.rolname !~ '^pg_'),
  'databases', (
    SELECT json_object_agg(d.datname, json_build_object(
      'owner', pg_get_userbyid(d.datdba),
      'manageable', pg_has_role(current_user, d.datdba, 'USAGE'),
      'public', (
        SELECT coalesce(json_agg(DISTINCT a.privilege_type), '[]')
        FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
        WHERE a.grantee = 0),
      'connect', (
        SELECT coalesce(json_agg(DISTINCT g.rolname), '[]')
        FROM aclexplode(d.datacl) a JOIN pg_roles g ON g.oid = a.grantee
        WHERE a.privilege_type = 'CONNECT' AND a.grantee <> d.datdba),
      'acts_as', (
        SELECT coalesce(json_object_agg(r.rolname, substr(setting, length('role=') + 1)), '{}')
        FROM pg_db_role_setting s
        JOIN pg_roles r ON r.oid = s.setrole
        CROSS JOIN unnest(s.setconfig) AS setting
        WHERE s.setdatabase = d.oid AND setting LIKE 'role=%')))
    FROM pg_database d)
)::text
