-- The ways into the databases of ours. No user can hold these rows; a database of its own it may keep busy, and that one is left for later.
DO $do$
DECLARE
  place record;
BEGIN
  FOR place IN
    SELECT d.datname
    FROM pg_catalog.pg_database d
    JOIN pg_catalog.pg_roles o ON o.oid OPERATOR(pg_catalog.=) d.datdba
    WHERE (o.rolname OPERATOR(pg_catalog.=) ANY (ARRAY['databases-keeper', CURRENT_USER]::pg_catalog.name[])
        OR o.rolname::pg_catalog.text OPERATOR(pg_catalog.~) '-owner$')
      AND pg_catalog.pg_has_role(CURRENT_USER, d.datdba, 'USAGE')
      AND EXISTS (
        SELECT FROM pg_catalog.aclexplode(d.datacl) a
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.grantee
        WHERE r.rolname OPERATOR(pg_catalog.=) :'user')
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM %I CASCADE', place.datname, :'user');
  END LOOP;
END
$do$
