SELECT json_build_object(
  'public_schema', (
    SELECT json_build_object(
      'owner', pg_get_userbyid(n.nspowner),
      'manageable', pg_has_role(current_user, n.nspowner, 'USAGE'),
      'open', EXISTS (
        SELECT FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a WHERE a.grantee = 0))
    FROM pg_namespace n
    WHERE n.nspname = 'public'),
  'default_privileges', (
    SELECT coalesce(json_object_agg(p.role, p.kinds), '{}')
    FROM (
      SELECT r.rolname AS role, json_agg(DISTINCT a.defaclobjtype) AS kinds
      FROM pg_default_acl a
      JOIN pg_roles r ON r.oid = a.defaclrole
      JOIN pg_database d ON d.datname = current_database()
      WHERE a.defaclnamespace = 0
        AND EXISTS (SELECT FROM aclexplode(a.defaclacl) e WHERE e.grantee = d.datdba)
      GROUP BY r.rolname
    ) p)
)::text
