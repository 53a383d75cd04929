-- What a removed user made goes to the heir, as a new database is set, before anything of it is entered. One that is in use stops no other.
DO $do$
DECLARE
  place record;
  failed pg_catalog.text;
BEGIN
  FOR place IN
    SELECT d.datname, d.datconnlimit
    FROM pg_catalog.pg_database d
    JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) d.datdba
    WHERE r.rolname OPERATOR(pg_catalog.=) :'owner' AND (:'database' OPERATOR(pg_catalog.=) ANY (ARRAY['', d.datname::pg_catalog.text]))
    ORDER BY d.datname
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('ALTER DATABASE %I OWNER TO :"heir"', place.datname);
      EXECUTE pg_catalog.format('ALTER DATABASE %I RESET ALL', place.datname);
      EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC', place.datname);
      -- One that an interrupted DROP DATABASE left takes no other change, and ends the session that asks for one.
      IF place.datconnlimit OPERATOR(pg_catalog.<>) (-2) THEN
        EXECUTE pg_catalog.format(
          'ALTER DATABASE %I IS_TEMPLATE false CONNECTION LIMIT -1 ALLOW_CONNECTIONS true', place.datname);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      failed := SQLERRM;
    END;
    COMMIT;
  END LOOP;
  IF failed IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = failed, ERRCODE = 'object_in_use';
  END IF;
END
$do$
