-- The login and the privileges of a user that is to go, and from 16 on those of the roles that it administers, and that these administer:
-- once it is dropped, nobody could do that any more.
DO $do$
DECLARE
  members pg_catalog.oid[] := ARRAY(SELECT oid FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) :'user');
  seen pg_catalog.oid[] := members;
  below record;
BEGIN
  IF members OPERATOR(pg_catalog.=) '{}' THEN
    RETURN;
  END IF;
  ALTER ROLE :"user" NOLOGIN NOCREATEDB NOCREATEROLE;
  IF pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 160000 THEN
    RETURN;
  END IF;
  FOR generation IN 1..8 LOOP
    members := ARRAY(
      SELECT DISTINCT a.roleid
      FROM pg_catalog.pg_auth_members a
      JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.roleid
      WHERE a.member OPERATOR(pg_catalog.=) ANY (members) AND a.admin_option
        AND a.roleid OPERATOR(pg_catalog.<>) ALL (seen)
        AND NOT r.rolsuper AND r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER
        AND r.rolname::pg_catalog.text OPERATOR(pg_catalog.!~) '^(rds|pg_)'
        AND pg_catalog.shobj_description(r.oid, 'pg_authid') IS NULL
      LIMIT 500);
    EXIT WHEN members OPERATOR(pg_catalog.=) '{}';
    seen := pg_catalog.array_cat(seen, members);
    FOR below IN SELECT rolname FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) ANY (members) LOOP
      BEGIN
        -- As a member the master reaches what this one administers.
        EXECUTE pg_catalog.format('GRANT %I TO %I', below.rolname, CURRENT_USER);
        EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN NOCREATEDB NOCREATEROLE', below.rolname);
        PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
        WHERE usename OPERATOR(pg_catalog.=) below.rolname;
      EXCEPTION WHEN OTHERS THEN
        NULL;
      END;
    END LOOP;
  END LOOP;
  -- The memberships were this user's to give, and would keep it from being dropped.
  FOR below IN SELECT rolname FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) ANY (seen) LOOP
    BEGIN
      IF below.rolname OPERATOR(pg_catalog.<>) :'user' THEN
        EXECUTE pg_catalog.format('REVOKE %I FROM %I', below.rolname, CURRENT_USER);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
  END LOOP;
END
$do$
