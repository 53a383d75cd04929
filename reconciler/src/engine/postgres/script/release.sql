-- All that a removed user has in this database, and what it was granted. Where a schema is another's, the heir may create in it for as long
-- as this takes: a new owner needs that. Objects are named one by one, as in `hand_over.sql`.
DO $do$
DECLARE
  thing record;
  place pg_catalog.text;
  places pg_catalog.text[] := '{}';
BEGIN
  FOR thing IN
    SELECT s.classid, s.objid
    FROM pg_catalog.pg_shdepend s
    JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.refobjid
    JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.dbid
    WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
      AND s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
      AND s.deptype OPERATOR(pg_catalog.=) 'o'
      AND r.rolname OPERATOR(pg_catalog.=) :'user'
  LOOP
    place := (SELECT i.schema FROM pg_catalog.pg_identify_object(thing.classid, thing.objid, 0) i);
    IF place IS NOT NULL AND place OPERATOR(pg_catalog.<>) ALL (places)
      AND NOT pg_catalog.has_schema_privilege(:'heir', pg_catalog.to_regnamespace(place)::pg_catalog.oid, 'CREATE') THEN
      places := pg_catalog.array_append(places, place);
      EXECUTE pg_catalog.format('GRANT CREATE ON SCHEMA %s TO :"heir"', place);
    END IF;
  END LOOP;
  REASSIGN OWNED BY :"user" TO :"heir";
  DROP OWNED BY :"user";
  FOREACH place IN ARRAY places LOOP
    EXECUTE pg_catalog.format('REVOKE CREATE ON SCHEMA %s FROM :"heir"', place);
  END LOOP;
END
$do$
