-- A database of v0.1.0 belongs to its owner role, so to each of its users. What they have granted on it stays, but for the right to grant.
DO $do$
DECLARE
  entry record;
BEGIN
  ALTER DATABASE :"database" OWNER TO :"keeper";
  REVOKE ALL ON DATABASE :"database" FROM PUBLIC CASCADE;
  FOR entry IN
    SELECT DISTINCT r.rolname
    FROM pg_catalog.pg_database d
    CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) a
    JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.grantee
    WHERE d.datname OPERATOR(pg_catalog.=) :'database' AND a.is_grantable AND a.grantee OPERATOR(pg_catalog.<>) d.datdba
  LOOP
    EXECUTE pg_catalog.format('REVOKE GRANT OPTION FOR ALL ON DATABASE :"database" FROM %I CASCADE', entry.rolname);
  END LOOP;
END
$do$
